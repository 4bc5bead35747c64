"""Run a network over pictures of any size in tiles whose result equals the whole picture's.

A tile's border pixels are wrong by what they cannot see, so each tile is cut with a halo as wide as the network's
receptive field and the halo is thrown away. Tiles of one shape form batches, across different pictures too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from batchcomp.images.picture import Pixels

TILE = 768  # pixels of the picture at the network's larger end; the halo comes on top


@dataclass(frozen=True)
class Span:
    """Along one axis: a tile reads [outer0, outer1) and answers for [inner0, inner1)."""

    outer0: int
    inner0: int
    inner1: int
    outer1: int


@dataclass(frozen=True)
class Tile:
    """A tile of picture number `picture`."""

    picture: int
    rows: Span
    columns: Span

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows.outer1 - self.rows.outer0, self.columns.outer1 - self.columns.outer0


def spans(length: int, tile: int, halo: int) -> Iterator[Span]:
    """Cut [0, length) into pieces of at most `tile`, each with up to `halo` on both sides.

    A last piece shorter than a quarter tile joins the piece before it.
    """
    start = 0
    while start < length:
        end = min(start + tile, length)
        if length - end < tile // 4:
            end = length
        yield Span(max(0, start - halo), start, end, min(length, end + halo))
        start = end


def tiles(shapes: Sequence[tuple[int, int]], tile: int, halo: int) -> Iterator[list[Tile]]:
    """Tiles of pictures of (height, width) `shapes`, grouped by the shape they read."""
    groups: dict[tuple[int, int], list[Tile]] = defaultdict(list)
    for number, (height, width) in enumerate(shapes):
        for rows in spans(height, tile, halo):
            for columns in spans(width, tile, halo):
                cut = Tile(number, rows, columns)
                groups[cut.shape].append(cut)
    yield from groups.values()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a network changes size and how far it sees.

    `unit` divides every tile edge; `up` / `down` is the factor from input to output sides; `halo` is in input pixels.
    """

    unit: int
    up: int
    down: int
    halo: int
    tile: int


Net = Callable[[Tensor, Tensor], Tensor]


def pad_to(pixels: Pixels, unit: int) -> Pixels:
    """Repeat the last row and column until both sides are multiples of `unit`."""
    height, width = pixels.shape[:2]
    if height % unit == 0 and width % unit == 0:
        return pixels
    return np.pad(pixels, ((0, -height % unit), (0, -width % unit), (0, 0)), mode="edge")


@torch.inference_mode()
def run(  # noqa: PLR0913
    net: Net, pictures: Sequence[Pixels], log_steps: Sequence[float], plan: Plan, *, batch: int, device: torch.device
) -> list[Pixels]:
    """Apply `net` to uint8 pictures (H, W, 3) of any sizes; answers are uint8, sides ceil(side * up / down).

    Args:
        net: maps (B, 3, H, W) in [0, 1] and (B,) log2 steps to (B, 3, H * up / down, W * up / down).
        pictures: the inputs.
        log_steps: one a picture.
        plan: the network's geometry.
        batch: tiles at once.
        device: where the net lives.
    """
    padded = [pad_to(picture, plan.unit) for picture in pictures]
    answers = [
        np.empty((p.shape[0] * plan.up // plan.down, p.shape[1] * plan.up // plan.down, 3), np.uint8) for p in padded
    ]
    for group in tiles([p.shape[:2] for p in padded], plan.tile, plan.halo):
        for first in range(0, len(group), batch):
            chunk = group[first : first + batch]
            x = torch.from_numpy(np.stack([_cut(padded[t.picture], t) for t in chunk])).to(device)
            steps = torch.tensor([log_steps[t.picture] for t in chunk], dtype=torch.float32, device=device)
            # (B, H, W, 3) permuted is channels_last already: no copy before the first convolution
            y = net(x.permute(0, 3, 1, 2).float().div_(255), steps)
            bytes_ = y.clamp_(0, 1).mul_(255).round_().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
            for tile, pixels in zip(chunk, bytes_, strict=True):
                _paste(answers[tile.picture], pixels, tile, plan)
    return [
        answer[: -(-p.shape[0] * plan.up // plan.down), : -(-p.shape[1] * plan.up // plan.down)]
        for answer, p in zip(answers, pictures, strict=True)
    ]


def _cut(pixels: Pixels, tile: Tile) -> Pixels:
    return pixels[tile.rows.outer0 : tile.rows.outer1, tile.columns.outer0 : tile.columns.outer1]


def _paste(answer: Pixels, pixels: Pixels, tile: Tile, plan: Plan) -> None:
    def scaled(value: int) -> int:
        return value * plan.up // plan.down

    rows, columns = tile.rows, tile.columns
    top, left = scaled(rows.inner0 - rows.outer0), scaled(columns.inner0 - columns.outer0)
    target = answer[scaled(rows.inner0) : scaled(rows.inner1), scaled(columns.inner0) : scaled(columns.inner1)]
    target[...] = pixels[top : top + target.shape[0], left : left + target.shape[1]]
