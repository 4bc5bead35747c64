"""Encoder-side refinement of one picture (`--effort`): coefficients are chosen by what they do behind RecCNN.

ComCNN is right on average; for one picture some roundings could be better. Here the decoder runs on what would be
stored, and the gradient of the training objective estimates for every coefficient the effect of one step up or down.
The metrics see the picture at several phases of their grid (`objective.seen_at`).
With the curvature (the diagonal of the Hessian, estimated from random perturbations after Hutchinson 1990; by
frequency, times the place's ratio to the plane's mean, for errors show most where a picture is smooth) and the bits
that the step costs or saves, each step has an expected gain. Where that is positive, the step is taken, by a quarter of
the coefficients at a time, and the picture is decoded anew. The decoder never changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from batchcomp.codec.dct import YCC_TO_RGB, ZIGZAG, Coefficients, matrix
from batchcomp.codec.networks.base import CodecNetwork
from batchcomp.codec.rdoq import SIZES, Blocks, Tokens, bits_table, sizes
from batchcomp.images.picture import Pixels
from batchcomp.metrics.objective import (
    PHASES,
    as_shown,
    log_distortion,
    mean_square,
    ms_ssim_distance,
    ms_ssim_share,
    rate_weight,
    seen_at,
    weights_at,
    with_ssimulacra2,
)
from batchcomp.metrics.ssim_window import MIN_SIDE

ITERATIONS: Final = (0, 2, 4, 6, 9, 12, 16, 24, 36, 50)  # by effort 0 to 9
TILE: Final = 512  # pixels of the original that are refined at once
MARGIN: Final = 64  # pixels around them that are decoded too and stay as they are
SHARE: Final = 0.25  # of the coefficients, drawn at random, that may step at once
JOINT_CURVATURE: Final = 3.0  # along many steps at once, over the sum along each alone, to begin with
LARGEST: Final = 1000  # magnitude from which on a coefficient stays
PERTURBATION: Final = 0.3  # steps by which all coefficients are moved to estimate the curvature
PERTURBATIONS: Final = 4  # so often, each time anew
BY_EYE: Final = 0.2  # share of SSIMULACRA2: with the networks' own .6, all of MS-SSIM's gain is paid for it
SEEN: Final = ((0, 0), (5, 3), (2, 5), (7, 6))  # phases of the metrics' grid: at one alone, others would gain nothing
PLACES: Final = 3  # blocks, both ways: what the curvature of a place is the mean of
MAX_APART: Final = 4.0  # how much more or less of it than the plane's mean a place may have


@dataclass(frozen=True, kw_only=True)
class Aim:
    """What counts: the distortion of `metrics.objective`, with `BY_EYE`, and bits per pixel, weighed as in training."""

    ms_ssim: float  # share of ln(1 - MS-SSIM) beside ln(MSE)
    rate: float

    @classmethod
    def of(cls, decoder: Decoder) -> Aim:
        """The weights at the coarseness of its quantisation tables."""
        usual, at = weights_at(decoder.network.arch.scale), torch.tensor(decoder.coarseness, dtype=torch.float64)
        rate = rate_weight(at, usual.rate, usual.rate_power)
        return cls(ms_ssim=float(ms_ssim_share(at, usual)), rate=float(rate))


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """What turns coefficients into a picture."""

    network: CodecNetwork
    tables: NDArray[np.int64]
    coarseness: float


def refine(original: Pixels, start: Coefficients, decoder: Decoder, iterations: int) -> Coefficients:
    """Better coefficients for one picture, a tile at a time; memory is that of RecCNN with gradients on one tile.

    Args:
        original: uint8 (H, W, 3 or 1).
        start: coefficients (planes, rows, columns, 8, 8) to begin with.
        decoder: how they will be decoded.
        iterations: how often the picture is decoded anew.
    """
    answer, block = start.copy(), 8 * decoder.network.arch.scale
    if iterations < 1 or min(original.shape[:2]) < MIN_SIDE:
        return answer
    for rows, columns in tiles(start.shape[1], start.shape[2], TILE // block, -(-MARGIN // block)):
        height, width = ((span.outer.stop - span.outer.start) * block for span in (rows, columns))
        crop = original[rows.outer.start * block :, columns.outer.start * block :][:height, :width]
        part = Part(crop, answer[:, rows.outer, columns.outer], decoder)
        better = part.improved(iterations)
        answer[:, rows.inner, columns.inner] = better[:, rows.within, columns.within]
    return answer


@dataclass(frozen=True, kw_only=True)
class BlockSpan:
    """Blocks of a tile along one side: its own, and those with the margin."""

    inner: slice
    outer: slice

    @property
    def within(self) -> slice:
        """Its own, counted from where the margin begins."""
        return slice(self.inner.start - self.outer.start, self.inner.stop - self.outer.start)


def tiles(rows: int, columns: int, side: int, margin: int) -> Iterator[tuple[BlockSpan, BlockSpan]]:
    """Tiles of about `side` blocks, never less than two thirds of it unless the picture is smaller."""

    def spans(length: int) -> list[BlockSpan]:
        count = max(1, round(length / side))
        edges = [round(i * length / count) for i in range(count + 1)]
        return [
            BlockSpan(inner=slice(a, b), outer=slice(max(0, a - margin), min(length, b + margin)))
            for a, b in pairwise(edges)
        ]

    yield from ((row, column) for row in spans(rows) for column in spans(columns))


class Part:
    """One tile with its margin, as tensors: blocks (planes, N, 64) in zigzag order."""

    def __init__(self, original: Pixels, found: Coefficients, decoder: Decoder) -> None:
        self._decoder, self._aim = decoder, Aim.of(decoder)
        self._device = next(decoder.network.rec.parameters()).device
        self._grid, self._size = found.shape[1:3], original.shape[:2]
        block = 8 * decoder.network.arch.scale
        # beyond the picture its last row and column repeat, as for ComCNN
        beyond = [(0, count * block - side) for count, side in zip(self._grid, self._size, strict=True)]
        padded = torch.from_numpy(np.pad(original, (*beyond, (0, 0)), mode="edge")).to(self._device)
        self._target = padded.permute(2, 0, 1)[None].expand(-1, 3, -1, -1).float() / 255
        steps = [decoder.tables[min(plane, 1)].reshape(64)[ZIGZAG] for plane in range(len(found))]
        self._steps = torch.from_numpy(np.stack(steps).astype(np.float32))[:, None].to(self._device)
        self._matrix = torch.from_numpy(matrix()).to(self._device)
        self._start: Blocks = found.reshape(len(found), -1, 64)[..., ZIGZAG]
        self._random = torch.Generator().manual_seed(0)  # the same file every time

    def improved(self, iterations: int) -> Coefficients:
        """The best coefficients met, by distortion and estimated bits."""
        now = self._start
        tables = [bits_table(Tokens.of(plane), len(plane)) for plane in now]
        distortion, slope = self._distortion(now)
        curvature, joint = self._curvature(now, slope), JOINT_CURVATURE
        for _ in range(iterations):
            step, linear, square = self._step(now, slope, curvature * joint, tables)
            if not step.any():
                joint *= 0.7
                continue
            then = now + step
            after, slope_after = self._distortion(then)
            bits = sum(bits_of(a, t) - bits_of(b, t) for a, b, t in zip(then, now, tables, strict=True))
            # steps share their effect: how much more they curve together than each alone is learned on the way
            found = joint * (after - distortion - linear) / square if square > 0 else joint
            if after - distortion + self._per_bit * bits < 0:
                joint = min(2 * joint, max(1.0, 0.5 * (joint + found)))
                now, distortion, slope = then, after, slope_after
            else:
                joint *= 1.5 if found > 1.5 * joint else 1.1
        answer = np.empty_like(now)
        answer[..., ZIGZAG] = now
        return answer.reshape(len(now), *self._grid, 8, 8)

    @property
    def _per_bit(self) -> float:
        height, width = self._size
        return self._aim.rate / float(height * width)

    def _step(
        self, now: Blocks, slope: Tensor, curvature: Tensor, tables: list[NDArray[np.float64]]
    ) -> tuple[Blocks, float, float]:
        """The steps that promise a gain, and the linear and the quadratic part of what they do to the distortion."""
        down, up = (np.stack(sides) for sides in zip(*map(bits_of_steps, now, tables), strict=True))
        slopes, curve = slope.numpy(), curvature.numpy() / 2
        gains = np.stack([-(sign * slopes + curve + self._per_bit * bits) for sign, bits in ((-1, down), (1, up))])
        gains[..., 0] = 0  # DC stays: its bits depend on its neighbours
        taken = (gains.max(axis=0) > 0) & (np.abs(now) < LARGEST)
        taken &= torch.rand(now.shape, generator=self._random).numpy() < SHARE
        step = np.where(taken, 2 * gains.argmax(axis=0) - 1, 0).astype(np.int16)
        return step, float((slopes * step).sum()), float((curve * step**2).sum())

    def _curvature(self, now: Blocks, slope: Tensor) -> Tensor:
        """Second derivatives (planes, N, 64): means by frequency, times means by place, for perturbations are noisy."""
        found = torch.zeros(now.shape)
        for _ in range(PERTURBATIONS):
            signs = torch.randint(0, 2, now.shape, generator=self._random).float() * 2 - 1
            found += (self._distortion(now, signs * PERTURBATION)[1] - slope) * signs / (PERTURBATION * PERTURBATIONS)
        by_frequency = found.mean(dim=1, keepdim=True).clamp_min(0)
        by_frequency = (by_frequency + by_frequency.mean(dim=2, keepdim=True)) / 2
        by_place = found.mean(dim=2) / by_frequency.mean(dim=2).clamp_min(torch.finfo().tiny)
        around = F.pad(by_place.view(-1, 1, *self._grid), [PLACES // 2] * 4, mode="replicate")
        by_place = F.avg_pool2d(around, PLACES, stride=1).clamp(1 / MAX_APART, MAX_APART)
        return by_frequency * by_place.view(len(now), -1, 1)

    def _distortion(self, now: Blocks, perturbation: Tensor | None = None) -> tuple[float, Tensor]:
        """Distortion of the decoded tile, and its derivative by each coefficient (planes, N, 64)."""
        values = torch.from_numpy(now).float()
        values = (values if perturbation is None else values + perturbation).to(self._device).requires_grad_()
        height, width = self._size
        restored = self._decoded(values)[..., :height, :width]
        target = self._target[..., :height, :width]
        shown, error = as_shown(restored), mean_square(restored, target)
        seen = [(shown, target)]
        if min(self._size) >= MIN_SIDE + PHASES:
            seen = [(seen_at(shown, phase), seen_at(target, phase)) for phase in SEEN]
        each = [
            with_ssimulacra2(log_distortion(ms_ssim_distance(*both), error, self._aim.ms_ssim), *both, BY_EYE)
            for both in seen
        ]
        loss = torch.cat(each).mean()
        (slope,) = torch.autograd.grad(loss, values)
        return float(loss.detach()), slope.cpu()

    def _decoded(self, values: Tensor) -> Tensor:
        """Coefficients (planes, N, 64) to the restored tile (1, 3, H, W), not clamped."""
        rows, columns = self._grid
        blocks = (values * self._steps) @ self._matrix  # (planes, N, 64) pixels around 0
        planes = blocks.view(-1, rows, columns, 8, 8).transpose(2, 3).reshape(-1, rows * 8, columns * 8)
        if len(planes) == 1:
            rgb = planes.expand(3, -1, -1) + 128
        else:
            rgb = torch.einsum("oc,chw->ohw", planes.new_tensor(YCC_TO_RGB), planes) + 128
        rgb = rgb + (rgb.clamp(0, 255).round() - rgb).detach()  # as the decoder sees it; the gradient passes
        log_coarseness = torch.tensor([math.log2(self._decoder.coarseness)], device=self._device)
        restored: Tensor = self._decoder.network.rec(rgb[None] / 255, log_coarseness)
        return restored


def bits_of(blocks: Blocks, bits: NDArray[np.float64]) -> float:
    """Estimated bits of the AC coefficients of a plane."""
    tokens = Tokens.of(blocks)
    return float(bits[tokens.position - tokens.before - 1, tokens.size].sum())


def bits_of_steps(blocks: Blocks, bits: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What one step down and one step up of each coefficient (N, 64) alone would add to the bits of a plane."""
    position = np.arange(64)
    there = blocks != 0
    there[:, 0] = False
    before = np.maximum.accumulate(np.where(there, position, 0), axis=1)
    before = np.concatenate([np.zeros_like(before[:, :1]), before[:, :-1]], axis=1)  # the last before each
    after = np.minimum.accumulate(np.where(there, position, 64)[:, ::-1], axis=1)[:, ::-1]
    after = np.concatenate([after[:, 1:], np.full_like(after[:, :1], 64)], axis=1)
    follower = np.take_along_axis(sizes(blocks), np.minimum(after, 63), axis=1)
    last = after == 64
    run, run_after = np.maximum(position - before - 1, 0), np.clip(after - position - 1, 0, 63)
    joined = np.clip(after - before - 1, 0, 63)
    parted = np.where(last, 0, bits[run_after, follower] - bits[joined, follower])

    def cost(values: NDArray[np.int16]) -> NDArray[np.float64]:
        size = np.minimum(sizes(values), SIZES - 1)
        answer: NDArray[np.float64] = np.where(values == 0, 0, bits[run, size] + parted)
        return answer

    now = cost(blocks)
    return cost(blocks - 1) - now, cost(blocks + 1) - now
