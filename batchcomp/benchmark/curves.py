"""Rate-distortion points: every picture through every rival at every quality, measured on real bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from joblib import Parallel, delayed, parallel_config

from batchcomp.benchmark.quality import ciede2000, ssimulacra2
from batchcomp.benchmark.rivals.base import Rival
from batchcomp.images.load import load
from batchcomp.images.picture import Pixels
from batchcomp.metrics.ms_ssim import ms_ssim, ms_ssim_db
from batchcomp.metrics.psnr import psnr
from batchcomp.metrics.rate import bits_per_pixel

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Point:
    """One picture through one rival at one quality."""

    picture: str  # file name, or a longer path where names repeat
    rival: str
    quality: float  # on the rival's own dial
    size: int  # bytes of the whole file
    bpp: float
    ms_ssim: float  # RGB, 0 to 1
    psnr: float  # dB over RGB
    ssimulacra2: float  # at most 100, which is lossless
    ciede2000: float  # mean
    encode_seconds: float  # beside other jobs; `speed` measures undisturbed
    decode_seconds: float

    @property
    def db(self) -> float:
        """MS-SSIM in dB."""
        return ms_ssim_db(self.ms_ssim)


@dataclass(frozen=True, kw_only=True)
class Task:
    """One picture and what it is called in the results."""

    path: Path
    name: str


def load_rgb(path: Path) -> Pixels:
    """Return uint8 (H, W, 3), greyscale replicated.

    Raises:
        PictureError: The file cannot be read or has no plain RGB or grey pixels.
    """
    pixels = load(path).pixels
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def measure_point(rgb: Pixels, rival: Rival, quality: float, name: str) -> Point:
    """Encode, decode and compare one picture, uint8 (H, W, 3)."""
    start = time.perf_counter()
    data = rival.encode(rgb, quality)
    encoded = time.perf_counter()
    decoded = rival.decode(data)
    stop = time.perf_counter()
    return Point(
        picture=name,
        rival=rival.name,
        quality=quality,
        size=len(data),
        bpp=bits_per_pixel(len(data), *rgb.shape[:2]),
        ms_ssim=ms_ssim(decoded, rgb),
        psnr=psnr(decoded, rgb),
        ssimulacra2=ssimulacra2(rgb, decoded),
        ciede2000=ciede2000(rgb, decoded),
        encode_seconds=encoded - start,
        decode_seconds=stop - encoded,
    )


def measure_picture(task: Task, rivals: Sequence[Rival]) -> list[Point]:
    """Return the points of one picture through all rivals, in their order."""
    rgb = load_rgb(task.path)
    return [measure_point(rgb, rival, quality, task.name) for rival in rivals for quality in rival.qualities]


def name_pictures(paths: Sequence[Path]) -> list[Task]:
    """Name each picture by its file name, or by its whole path where two share the file name."""
    names = [path.name for path in paths]
    return [Task(path=path, name=path.name if names.count(path.name) == 1 else path.as_posix()) for path in paths]


def over_pictures(
    work: Callable[[Task], _T], tasks: Iterable[Task], *, jobs: int, on_done: Callable[[str], None] | None
) -> Iterator[_T]:
    """Yield the result of each picture in order, from that many processes of one thread each, or here for 1 job.

    A process holds one picture at a time. `on_done` gets each picture's name.
    """
    tasks = list(tasks)
    with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1) if jobs > 1 else parallel_config("sequential"):
        results = Parallel(return_as="generator")(delayed(work)(task) for task in tasks)
        for task, result in zip(tasks, results, strict=True):
            if on_done:
                on_done(task.name)
            yield result
