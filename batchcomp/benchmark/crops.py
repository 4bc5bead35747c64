"""Parts of pictures through several codecs at the same bytes, to be looked at beside one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from batchcomp.benchmark.curves import Task, load_rgb
from batchcomp.benchmark.guards import best_fitting
from batchcomp.benchmark.quality import ssimulacra2
from batchcomp.benchmark.rivals.base import Rival
from batchcomp.images.picture import Pixels
from batchcomp.metrics.ms_ssim import ms_ssim
from batchcomp.metrics.rate import bits_per_pixel

CROP_RATE = 0.35  # bpp: where codecs differ to the eye
STEPS = 100  # qualities between a rival's coarsest and finest

Part = tuple[slice, slice]  # rows and columns


@dataclass(frozen=True, kw_only=True)
class Crop:
    """A part of one picture as one codec gives it back; figures are of the whole picture."""

    rival: str
    pixels: Pixels
    size: int  # bytes of the file
    bpp: float
    ms_ssim: float
    ssimulacra2: float


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A part of one picture: the original, then what each codec makes of it at the bytes of the first."""

    picture: str
    width: int  # of the whole picture
    height: int
    original: Pixels
    crops: Sequence[Crop]


def sample(
    task: Task, codecs: Sequence[Rival], part_of: Callable[[Pixels, Pixels], Part], *, rate: float = CROP_RATE
) -> Sample:
    """Put a picture through codecs.

    Args:
        task: the picture.
        codecs: ours first, which goes to the quality nearest below `rate`; others to the best within its bytes, or to
            their coarsest where even that takes more.
        part_of: given the original and ours, says which part to show.
        rate: bits per pixel.
    """
    rgb = load_rgb(task.path)
    most = rate * rgb.shape[0] * rgb.shape[1] / 8
    part: Part = slice(None), slice(None)
    crops: list[Crop] = []
    for codec in codecs:
        data = _fitting(codec, rgb, most)
        decoded = codec.decode(data)
        if not crops:
            most, part = len(data), part_of(rgb, decoded)
        crops.append(
            Crop(
                rival=codec.name,
                pixels=decoded[part].copy(),
                size=len(data),
                bpp=bits_per_pixel(len(data), *rgb.shape[:2]),
                ms_ssim=ms_ssim(decoded, rgb),
                ssimulacra2=ssimulacra2(rgb, decoded),
            )
        )
    height, width = rgb.shape[:2]
    return Sample(picture=task.name, width=width, height=height, original=rgb[part].copy(), crops=crops)


def _fitting(codec: Rival, rgb: Pixels, most: float) -> bytes:
    """Return the largest file of at most `most` bytes, between the codec's qualities too."""
    places = np.linspace(0, len(codec.qualities) - 1, STEPS)
    dial = np.interp(places, range(len(codec.qualities)), np.asarray(codec.qualities, float))
    found = best_fitting(lambda step: codec.encode(rgb, float(dial[step - 1])), most)
    return found[1] if found else codec.encode(rgb, codec.qualities[0])
