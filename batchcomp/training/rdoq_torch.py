"""`codec.rdoq.quantise` of many planes at once in torch: what a GPU can do without waiting for the host."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from batchcomp.codec.dct import ZIGZAG
from batchcomp.codec.rdoq import ROUNDS, SIZES, USUAL, Rounding

Neighbours = tuple[Tensor, Tensor, Tensor]  # places before and after in the block, and the size of the latter


@lru_cache(maxsize=4)
def quantiser(device: torch.device) -> Quantiser:
    """The one of a device."""
    return Quantiser(device)


class Quantiser:
    """Rounds planes of coefficients as the encoder does, to the last of them."""

    def __init__(self, device: torch.device, rounding: Rounding = USUAL) -> None:
        self._rounding = rounding
        self._zigzag = torch.tensor([int(place) for place in ZIGZAG], device=device)
        self._back = torch.argsort(self._zigzag)
        self._at = torch.arange(64, device=device)
        self._own = torch.arange(SIZES, dtype=torch.float64, device=device)

    def natural(self, scaled: Tensor) -> Tensor:
        """Coefficients (..., N, 64) in quantisation steps, row by row: rounded ones, same shape and type."""
        planes = scaled.flatten(0, -3).index_select(-1, self._zigzag)
        return self(planes).index_select(-1, self._back).view_as(scaled)

    def __call__(self, scaled: Tensor) -> Tensor:
        """Planes (P, N, 64) in zigzag order, in quantisation steps, each with odds of its own: rounded ones."""
        planes, blocks = scaled.shape[:2]
        whole, magnitude = torch.round(scaled), scaled.abs()
        there = (whole != 0) & (self._at > 0)
        size = torch.zeros_like(scaled, dtype=torch.int64)
        for power in range(SIZES - 1):
            size += there & (whole.abs() >= 2.0**power)
        near = self._neighbours(there, size)
        bits = self._bits(there, size, near[0], blocks)
        small = there & (size == 1) & (magnitude < 0.5 + self._rounding.most)
        for number in range(ROUNDS):
            near = self._neighbours(there, size) if number else near
            rank = torch.cumsum(there.view(planes, -1), 1).view_as(there) - 1
            tried = small & there & (rank % 2 == (number + 1) % 2)
            drop = tried & (magnitude < 0.5 + self._margin(near, bits))
            there, whole = there & ~drop, torch.where(drop, 0.0, whole)
        return whole

    def _neighbours(self, there: Tensor, size: Tensor) -> Neighbours:
        """Of every place those that are not zero: 0 before the first, 64 after the last."""
        up_to = torch.cummax(torch.where(there, self._at, 0), -1).values
        before = torch.cat([torch.zeros_like(up_to[..., :1]), up_to[..., :-1]], -1)
        from_on = torch.cummin(torch.where(there, self._at, 64).flip(-1), -1).values.flip(-1)
        after = torch.cat([from_on[..., 1:], torch.full_like(from_on[..., :1], 64)], -1)
        size_after = torch.where(after < 64, size.gather(-1, after.clamp(max=63)), 0)
        return before, after, size_after

    def _bits(self, there: Tensor, size: Tensor, before: Tensor, blocks: int) -> Tensor:
        """`rdoq.bits_table` of each plane, (P, 64 * 12)."""
        kind = torch.where(there, (self._at - before - 1) * SIZES + size, 64 * SIZES).flatten(1)
        found = torch.zeros(len(kind), 64 * SIZES + 1, dtype=torch.float64, device=kind.device)
        found.scatter_add_(1, kind, torch.ones_like(kind, dtype=torch.float64))
        counts = found[:, :-1].view(-1, 64, SIZES) + 0.05
        inner = counts[:, :-2] / 4 + counts[:, 1:-1] / 2 + counts[:, 2:] / 4
        counts = torch.cat([counts[:, :1], inner, counts[:, -1:]], 1)
        total = counts.sum((1, 2), keepdim=True) + blocks
        return (self._own - torch.log2(counts / total)).flatten(1)

    def _margin(self, near: Neighbours, bits: Tensor) -> Tensor:
        """How far above half a step each place becomes zero, were its size one."""
        before, after, size_after = near

        def of(run: Tensor, size: Tensor) -> Tensor:
            return bits.gather(1, (run.clamp(0, 63) * SIZES + size).flatten(1)).view_as(run)

        last = after == 64
        joined = of(after - before - 1, size_after)
        follower = torch.where(last, 0.0, of(after - self._at - 1, size_after) - joined)
        saved = of(self._at - before - 1, torch.ones_like(size_after)) + follower
        saved = saved + self._rounding.alone * (last & (before == 0))
        return ((saved - self._rounding.dear_from) * self._rounding.per_bit).clamp(0, self._rounding.most)
