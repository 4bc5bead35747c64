"""The double network without nets: bicubic half size, JPEG, bicubic double size. What every training starts from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from batchcomp.codec.model import Model
from batchcomp.codec.networks.base import CodecNetwork
from batchcomp.codec.networks.jiang2017 import annex_k_log_tables
from batchcomp.codec.networks.shape import FLOAT, TABLES, Tensors
from batchcomp.codec.resample import downscale, upscale
from batchcomp.codec.tables import tables_at

SCALE = 2


@dataclass(frozen=True, kw_only=True)
class BicubicShape:
    """Nothing to choose."""

    scale: int = SCALE
    unit: int = SCALE
    parameters: int = 0
    com_halo: int = 2 * SCALE
    rec_halo: int = 2 * SCALE
    com_bytes: float = 3.0 * FLOAT
    rec_bytes: float = 3.0 * FLOAT
    tensors: Tensors = field(default_factory=lambda: TABLES)


class _Halved(nn.Module):
    def forward(self, x: Tensor, _log_coarseness: Tensor) -> Tensor:
        return downscale(x, SCALE)


class _Doubled(nn.Module):
    def forward(self, x: Tensor, _log_coarseness: Tensor) -> Tensor:
        return upscale(x, SCALE)


class BicubicNetwork(CodecNetwork):
    """Bicubic both ways, with the standard's quantisation tables, scaled as those of the jiang2017 family."""

    shape = BicubicShape

    def __init__(self) -> None:
        super().__init__()
        self.arch = BicubicShape()
        self.com = _Halved()
        self.rec = _Doubled()
        self.register_buffer("log_tables", torch.from_numpy(annex_k_log_tables()).float())

    def log_tables_at(self, coarseness: Tensor) -> Tensor:
        """Natural logarithms (B, 2, 8, 8) of the tables at coarsenesses (B,), before rounding."""
        return self.log_tables + torch.log(coarseness).view(-1, 1, 1, 1)

    def tables_at(self, coarseness: float) -> NDArray[np.int64]:
        """Whole-number tables (2, 8, 8) in 1..255 at a coarseness."""
        return tables_at(self.log_tables.cpu().numpy(), coarseness)

    def placed(self, device: torch.device | str = "cpu") -> Self:
        """Move to a device."""
        return self.to(device)


def bicubic_model() -> Model:
    """The model for `Codec`; it has no file, so its payloads are for measuring, not for archives."""
    return Model.of(BicubicNetwork().eval(), sha256="0" * 64, name="bicubic half size + JPEG", family="")
