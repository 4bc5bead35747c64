"""The dev measure: real files of held-out photos against real JPEGs of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from batchcomp.codec import jpeg, plain_jpeg
from batchcomp.codec.networks.base import CodecNetwork
from batchcomp.errors import PictureError, TrainingError
from batchcomp.metrics.ms_ssim_torch import ms_ssim_batch
from batchcomp.metrics.objective import seen_at
from batchcomp.metrics.ssimulacra2_torch import score_of, ssimulacra2_distance
from batchcomp.training.data import read_rgb

DEV_COARSENESSES = (9.0, 5.0, 2.5, 1.2, 0.6)
FULL_SIZE_DEV_COARSENESSES = (3.0, 1.7, 1.0, 0.6, 0.35)
JPEG_QUALITIES = (3, 6, 10, 15, 22, 32, 45, 60, 75, 86, 93)
FULL_SIZE_JPEG_QUALITIES = (75, 86, 91, 94, 96, 98, 99)
DEV_PHOTOS = 20
DEV_SIDE = 384
DEV_PHASES = ((0, 0), (1, 2), (2, 3), (3, 1))  # of the metrics' grid: each place of two halvings, both ways

Curve = NDArray[np.float64]  # (points, 4): mean bpp, MS-SSIM, PSNR in dB, SSIMULACRA2
RateCurve = tuple[NDArray[np.float64], NDArray[np.float64]]  # rates and qualities, (points,) each
Point = tuple[float, float, float, float]  # one of a `Curve`
BPP, MS_SSIM, PSNR, SSIMULACRA2 = range(4)


@dataclass(frozen=True, kw_only=True)
class DevScore:
    """`bd_rate` in percent against JPEG at equal MS-SSIM, negative is better; `psnr_gain` in dB at equal bpp.

    `ssimulacra2_bd_rate` is the same at equal SSIMULACRA2; nan where the curves do not meet.
    """

    bd_rate: float
    ssimulacra2_bd_rate: float
    psnr_gain: float
    curve: Curve

    @property
    def mean_bd_rate(self) -> float:
        """What the best weights have the least of: the mean of both rates, or MS-SSIM's where there is no other."""
        if math.isnan(self.ssimulacra2_bd_rate):
            return self.bd_rate
        return (self.bd_rate + self.ssimulacra2_bd_rate) / 2


def mean_of(scores: Sequence[DevScore]) -> DevScore:
    """The mean over several sets of photos."""
    return DevScore(
        bd_rate=float(np.mean([score.bd_rate for score in scores])),
        ssimulacra2_bd_rate=float(np.mean([score.ssimulacra2_bd_rate for score in scores])),
        psnr_gain=float(np.mean([score.psnr_gain for score in scores])),
        curve=np.mean([score.curve for score in scores], axis=0),
    )


def dev_crops(photos: Sequence[Path], count: int = DEV_PHOTOS, side: int = DEV_SIDE) -> list[NDArray[np.uint8]]:
    """Centre crops of at most `count` photos spread over the split, (H, W, 3), sides multiples of 16, at most `side`.

    Raises:
        TrainingError: none of the photos can be used.
    """
    chosen = [photos[i] for i in sorted({round(i) for i in np.linspace(0, len(photos) - 1, count)})]
    crops = []
    for path in chosen:
        with suppress(PictureError):
            crops.append(_centre(np.asarray(read_rgb(path)), side))
    if not crops:
        raise TrainingError(f"{chosen[0]}: no photo of the dev split can be used; add photos")
    return crops


def _centre(pixels: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    height, width = (min(side, most) // 16 * 16 for side in pixels.shape[:2])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def to_tensor(pixels: NDArray[np.uint8]) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1).unsqueeze(0).float() / 255


def to_pixels(x: Tensor) -> NDArray[np.uint8]:
    """(1, 3, H, W) -> (H, W, 3) uint8, clamped and rounded."""
    rounded: NDArray[np.uint8] = (x[0].clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    return rounded


def _quality_of(original: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> tuple[float, float, float]:
    x, y = to_tensor(original), to_tensor(decoded)
    mse = float((x - y).square().mean())
    views = [(seen_at(x, phase), seen_at(y, phase)) for phase in DEV_PHASES]
    likeness = float(np.mean([float(ms_ssim_batch(a, b)) for a, b in views]))
    score = float(np.mean([float(score_of(ssimulacra2_distance(b, a))) for a, b in views]))
    return likeness, -10 * np.log10(max(mse, 1e-9)), score


def jpeg_point(original: NDArray[np.uint8], quality: int) -> Point:
    """(bpp, MS-SSIM, PSNR, SSIMULACRA2) of the plain JPEG rival at a Pillow quality."""
    data = plain_jpeg.encode(original, quality)
    return (len(data) * 8 / original[..., 0].size, *_quality_of(original, jpeg.decode(data)[0]))


@torch.inference_mode()
def network_point(network: CodecNetwork, original: NDArray[np.uint8], coarseness: float) -> Point:
    """(bpp, MS-SSIM, PSNR, SSIMULACRA2) of the double network through a real JPEG file."""
    log_coarseness = torch.tensor([np.log2(coarseness)], dtype=torch.float32)
    compact = to_pixels(network.com(to_tensor(original), log_coarseness))
    data = jpeg.encode(compact, network.tables_at(coarseness))
    restored = to_pixels(network.rec(to_tensor(jpeg.decode(data)[0]), log_coarseness))
    return (len(data) * 8 / original[..., 0].size, *_quality_of(original, restored))


class DevSet:
    """Held-out crops, with their JPEG curve measured once."""

    def __init__(
        self,
        photos: Sequence[Path],
        *,
        count: int = DEV_PHOTOS,
        side: int = DEV_SIDE,
        coarsenesses: Sequence[float] = DEV_COARSENESSES,
        jpeg_qualities: Sequence[int] = JPEG_QUALITIES,
    ) -> None:
        self.crops, self.coarsenesses = dev_crops(photos, count, side), tuple(coarsenesses)
        self.jpeg_curve = self._curve([[jpeg_point(crop, q) for q in jpeg_qualities] for crop in self.crops])

    @staticmethod
    def _curve(points: list[list[Point]]) -> Curve:
        mean: Curve = np.array(points).mean(axis=0)
        return mean

    def score(self, network: CodecNetwork) -> DevScore:
        """Measure a network on every crop at every coarseness."""
        points = [[network_point(network, crop, at) for at in self.coarsenesses] for crop in self.crops]
        curve = self._curve(points)
        jpeg_psnr = np.interp(np.log(curve[:, BPP]), np.log(self.jpeg_curve[:, BPP]), self.jpeg_curve[:, PSNR])
        return DevScore(
            bd_rate=bd_rate(self.jpeg_curve, curve),
            ssimulacra2_bd_rate=rate_change(*((c[:, BPP], c[:, SSIMULACRA2]) for c in (self.jpeg_curve, curve))),
            psnr_gain=float((curve[:, PSNR] - jpeg_psnr).mean()),
            curve=curve,
        )


def bd_rate(anchor: Curve, test: Curve) -> float:
    """Mean change of rate at equal MS-SSIM in dB, in percent, negative is better; nan without overlap."""
    before, after = ((c[:, BPP], -10 * np.log10(1 - np.minimum(c[:, MS_SSIM], 1 - 1e-9))) for c in (anchor, test))
    return rate_change(before, after)


def rate_change(anchor: RateCurve, test: RateCurve) -> float:
    """Mean change of rate at equal quality, in percent, piecewise linear in ln(rate); nan without overlap.

    The benchmark's figure is piecewise cubic; this one needs no package beyond numpy and ranks checkpoints.
    """
    orders = [np.argsort(quality) for _, quality in (anchor, test)]
    curves = [
        (np.log(rates[order]), quality[order]) for (rates, quality), order in zip((anchor, test), orders, strict=True)
    ]
    low, high = max(quality[0] for _, quality in curves), min(quality[-1] for _, quality in curves)
    if not low < high:
        return math.nan
    grid = np.linspace(low, high, 200)
    before, after = (np.interp(grid, quality, rates) for rates, quality in curves)
    return float(np.expm1((after - before).mean()) * 100)
