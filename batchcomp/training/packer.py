"""Fit the packer: small networks that tell how likely each bit of a quantised DCT coefficient is.

The features are those of the product. The networks are trained as they will run, with weights and hidden values
rounded (straight-through), on the bits that the coder will spend.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name every torch reader expects)

from batchcomp.codec.codec import Codec
from batchcomp.codec.dct import ZIGZAG, coefficients
from batchcomp.codec.model import Model
from batchcomp.codec.pack import model
from batchcomp.codec.pack.context import AC_FEATURES, DC_FEATURES, DC_TERMS, ENDS
from batchcomp.codec.pack.model import (
    AC_LOGITS,
    DC_BITS,
    DC_LOGITS,
    END,
    HIDDEN,
    LOGIT,
    MAX_HIDDEN,
    MAX_LOGIT,
    MAX_WEIGHT,
    NAMES,
    PLANES,
    UNARY,
    WEIGHT,
)
from batchcomp.codec.payload import MODEL_BYTES
from batchcomp.codec.tables import MAX_NETWORK_QUALITY, QUALITIES, quality_to_coarseness
from batchcomp.errors import PictureError
from batchcomp.images.load import load
from batchcomp.images.picture import Picture
from batchcomp.training.packer_records import ENDED, Records, Sample

LOG2_E = 1 / math.log(2)
AC_WIDTHS, DC_WIDTHS = (192, 64), (96, 48)
_MAY_END: Final = torch.tensor([k in ENDS for k in range(1, 64)])[:, None]


def _round(x: Tensor, unit: float) -> Tensor:
    """Multiples of 1 / unit, with the gradient of the identity."""
    return x + (torch.round(x * unit) / unit - x).detach()


def _floor(x: Tensor, unit: float) -> Tensor:
    return x + (torch.floor(x * unit) / unit - x).detach()


class WholeNet(nn.Module):
    """`model.PackerNet` as it is trained: the same arithmetic, in floating point."""

    def __init__(self, features: int, outputs: int, *, count: int, widths: tuple[int, int]) -> None:
        super().__init__()
        h, g = widths
        self.first = nn.Parameter(torch.randn(h, features) * (0.7 / math.sqrt(features)))
        self.gain, self.first_bias = nn.Parameter(torch.ones(count, h)), nn.Parameter(torch.zeros(count, h))
        self.second = nn.Parameter(torch.randn(g, h) * (1 / math.sqrt(h)))
        self.second_bias = nn.Parameter(torch.zeros(g))
        self.last, self.last_bias = (
            nn.Parameter(torch.randn(outputs, g) * 0.05),
            nn.Parameter(torch.zeros(count, outputs)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits (K, N, L) of whole features (K, N, F)."""
        most = MAX_WEIGHT / WEIGHT
        first = _round((self.first * self.gain[:, :, None]).clamp(-most, most), WEIGHT)
        h = torch.baddbmm(_round(self.first_bias, 16 * WEIGHT)[:, None], x / 16, first.transpose(1, 2))
        h = _hidden(h) @ _round(self.second.clamp(-most, most), WEIGHT).T + _round(self.second_bias, HIDDEN * WEIGHT)
        h = (
            _hidden(h) @ _round(self.last.clamp(-most, most), WEIGHT).T
            + _round(self.last_bias, HIDDEN * WEIGHT)[:, None]
        )
        return _floor(h, LOGIT)


def _hidden(x: Tensor) -> Tensor:
    return _floor(x, HIDDEN).clamp(0, MAX_HIDDEN / HIDDEN)


def _cost(logits: Tensor, bits: Tensor) -> Tensor:
    """Bits that binary decisions cost."""
    limit = MAX_LOGIT / LOGIT
    clamped = logits + (logits.clamp(-limit, limit) - logits).detach()
    return F.binary_cross_entropy_with_logits(clamped, bits.float(), reduction="none") * LOG2_E


def ac_bits(logits: Tensor, values: Tensor) -> Tensor:
    """Bits of AC coefficients (63, N) with logits (63, N, AC_LOGITS), whether their blocks end there included."""
    ended = values == ENDED
    return _MAY_END * _cost(logits[..., END], ended) + ~ended * _value_bits(logits, values * ~ended)


def _value_bits(logits: Tensor, values: Tensor) -> Tensor:
    sizes = values.abs()
    total = _cost(logits[..., 0], sizes > 0) + (sizes > 0) * _cost(logits[..., 1], values < 0)
    for size in range(1, UNARY):
        total = total + (sizes >= size) * _cost(logits[..., 1 + size], sizes > size)
    escape = sizes >= UNARY
    length = torch.floor(torch.log2((sizes - UNARY + 1).clamp(min=1).float()))  # bits - 1
    more, stop = (_cost(logits[..., 1 + UNARY], torch.full_like(sizes, bit)) for bit in (1, 0))
    return total + escape * (length * (more + 1) + stop)


def dc_bits(logits: Tensor, terms: Tensor, values: Tensor) -> Tensor:
    """Bits of DC coefficients, `values` from their base, and what makes their prediction learn."""
    weights = logits[..., DC_LOGITS:].clamp(-2, 2)
    expected = (weights * terms).sum(-1)
    residual = (values - torch.floor(expected + 0.5)).detach()
    size = residual.abs()
    length = torch.floor(torch.log2(size.clamp(min=1)))
    total = _cost(logits[..., 0], size > 0) + (size > 0) * _cost(logits[..., 1], residual < 0)
    for count in range(1, DC_BITS):
        total = total + (length >= count - 1) * (size > 0) * _cost(logits[..., 1 + count], length >= count)
    second = torch.where(length == 1, logits[..., DC_BITS + 1], logits[..., DC_BITS + 2])
    top = torch.floor(size / 2 ** (length - 1).clamp(min=0)) % 2
    total = total + (length >= 1) * _cost(second, top) + (length - 1).clamp(min=0)
    return total + torch.log2(1 + (values - expected).abs())  # the last term has no effect on the bits


class Packers(nn.Module):
    """The networks of all planes."""

    def __init__(self) -> None:
        super().__init__()
        self.ac = nn.ModuleList(WholeNet(f, AC_LOGITS, count=63, widths=AC_WIDTHS) for f in AC_FEATURES)
        self.dc = nn.ModuleList(
            WholeNet(f, DC_LOGITS + t, count=1, widths=DC_WIDTHS) for f, t in zip(DC_FEATURES, DC_TERMS, strict=True)
        )


def fit(
    packers: Packers,
    records: Records,
    *,
    steps: int,
    batch: int = 192,
    on_step: Callable[[int, float], None] = lambda *_: None,
) -> None:
    """Train for a number of steps with `batch` blocks of each plane and coefficient.

    `on_step` gets the step and the bits a block.
    """
    ac, dc = records.tables()
    shares = [torch.tensor([len(values) / max(1, len(plane[0][1])) for _, values in plane]) for plane in ac]
    optimiser = torch.optim.Adam(packers.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps, pct_start=0.05)
    for step in range(steps):
        loss, bits = torch.zeros(()), 0.0
        for plane in range(PLANES):
            x, values = _draw(ac[plane], batch)
            own = (ac_bits(packers.ac[plane](x), values).mean(1) * shares[plane]).sum()
            some = torch.randint(len(dc[plane][0]), (4 * batch,))
            features, terms, residuals = (part[some].float() for part in dc[plane])
            flat = dc_bits(packers.dc[plane](features[None])[0], terms, residuals).mean()
            loss, bits = loss + own + flat, bits + float(own.detach())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(packers.parameters(), 20.0)
        optimiser.step()
        schedule.step()
        on_step(step, bits)


def _draw(tables: list[tuple[Tensor, Tensor]], batch: int) -> tuple[Tensor, Tensor]:
    """Features (63, batch, F) and values (63, batch); zeros where there are none."""
    features = torch.zeros(len(tables), batch, tables[0][0].shape[1])
    values = torch.zeros(len(tables), batch)
    for at, (known, truth) in enumerate(tables):
        if len(truth):
            some = torch.randint(len(truth), (batch,))
            features[at], values[at] = known[some], truth[some]
    return features, values


def to_bytes(packers: Packers, tables: Mapping[bytes, NDArray[np.uint8]]) -> bytes:
    """The packer's file. `tables`, (115, 2, 64) in zigzag order, are those to expect of each model at each quality."""
    tensors: dict[str, NDArray[np.generic]] = {
        "models": np.stack([np.frombuffer(model, np.uint8) for model in tables]),
        "tables": np.stack(list(tables.values())),
    }
    for kind in ("ac", "dc"):
        for plane, net in enumerate(getattr(packers, kind)):
            for name in NAMES:
                tensors[f"{kind}.{plane}.{name}"] = getattr(net, name).detach().numpy().astype(np.float32)
    return model.to_bytes(tensors)


def tables_of(models: Iterable[Model]) -> dict[bytes, NDArray[np.uint8]]:
    """The tables of several models, by what payloads name them by."""
    return {bytes.fromhex(one.sha256)[:MODEL_BYTES]: expected_tables(one) for one in models}


def expected_tables(model: Model) -> NDArray[np.uint8]:
    """The tables (115, 2, 64) of a model at each network quality, in zigzag order."""
    at = model.tables_at
    tables = [
        at(quality_to_coarseness(quality)).reshape(2, 64)[:, ZIGZAG] for quality in range(1, MAX_NETWORK_QUALITY + 1)
    ]
    return np.stack(tables).astype(np.uint8)


def samples_of(codec: Codec, photos: Iterable[Path], *, crop: int, each: int, seed: int) -> Iterator[Sample]:
    """Compact pictures of crops of photos, each at some qualities by chance; what cannot be read is passed over."""
    rng = np.random.default_rng(seed)
    for path in photos:
        try:
            picture = load(path)
        except PictureError:
            continue
        if picture.mode != "RGB":
            continue
        top, left = (int(rng.integers(0, max(1, side - crop + 1))) for side in picture.pixels.shape[:2])
        part = Picture(pixels=np.ascontiguousarray(picture.pixels[top : top + crop, left : left + crop]))
        for quality in rng.uniform(QUALITIES.start, QUALITIES.stop - 1, each):
            (compact,) = codec.compact([part], float(quality))
            found = coefficients(compact.pixels, compact.tables)
            yield Sample(coefficients=found, tables=compact.tables, quality=compact.header.quality)
