"""What every family of networks has in common: the rest of the codec knows no more of a model than this."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name every torch reader expects)

from batchcomp.codec.networks.shape import NetworkShape


class CodecNetwork(nn.Module):
    """ComCNN, RecCNN and their quantisation tables; a family is a subclass of this with its `NetworkShape`.

    `com` maps a picture (B, 3, H, W) in [0, 1] and log2 of the coarseness (B,) to the compact picture; `rec` maps the
    decoded compact picture and the same to the full-size one, not clamped. `log_tables` (2, 8, 8) holds the natural
    logarithms of the luma and chroma tables at coarseness 1. The constructor takes the architecture alone.
    """

    shape: ClassVar[Callable[..., NetworkShape]]  # makes an architecture of a model file's numbers
    arch: NetworkShape
    com: nn.Module
    rec: nn.Module
    log_tables: Tensor

    def log_tables_at(self, coarseness: Tensor) -> Tensor:
        """Natural logarithms (B, 2, 8, 8) of the tables at coarsenesses (B,), before rounding."""
        raise NotImplementedError

    def tables_at(self, coarseness: float) -> NDArray[np.int64]:
        """Whole-number tables (2, 8, 8) in 1..255, as a baseline JPEG stores them, at a coarseness."""
        raise NotImplementedError

    def placed(self, device: torch.device | str = "cpu") -> Self:
        """Move to a device, in the memory layout that is quickest there."""
        raise NotImplementedError


def conv3x3(channels_in: int, channels_out: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, 3, padding=1)


def input_planes(x: Tensor, log_coarseness: Tensor, unshuffle: int, period: int) -> Tensor:
    """What a trunk sees of pictures x (B, 3, H, W): (B, 3 unshuffle^2 + 1 + 2 period, H / unshuffle, W / unshuffle).

    After the unshuffled picture comes the coarseness; then, for each row and for each column of a JPEG block of
    `period` pixels a side, whether the place is in it. A period of 0 adds none.
    """
    unshuffled = F.pixel_unshuffle(x - 0.5, unshuffle)  # (B, 3 f^2, H/f, W/f)
    rows, columns = unshuffled.shape[2:]
    level = (log_coarseness / 3.0).view(-1, 1, 1, 1).expand(-1, 1, rows, columns)
    inputs = [unshuffled, level.to(unshuffled.dtype)]
    if period:
        position = torch.eye(period, dtype=unshuffled.dtype, device=unshuffled.device)
        across = position.repeat(1, columns // period)[:, None, :].expand(-1, rows, -1)
        down = position.repeat(1, rows // period)[:, :, None].expand(-1, -1, columns)
        inputs += [plane.expand(len(x), -1, -1, -1) for plane in (down, across)]
    return torch.cat(inputs, dim=1)
