"""Cohorts: what the nets gain on pictures they trained on, were selected on and never saw, all at the same bytes.

The table asks one question three times: is the network above JPEG, is it above what bicubic scaling alone achieves,
and is that as true of unseen pictures, and of colourful ones, as of the pictures that it learned from?
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from batchcomp.benchmark.curves import Task, load_rgb, name_pictures, over_pictures
from batchcomp.benchmark.guards import best_fitting
from batchcomp.benchmark.results import to_json
from batchcomp.benchmark.rivals.base import ANCHOR, Rival
from batchcomp.errors import PictureError, UsageError
from batchcomp.images.picture import Pixels
from batchcomp.metrics.colourfulness import colourfulness
from batchcomp.metrics.ms_ssim import ms_ssim

SCHEMA = "batchcomp-cohorts/1"
RATE = 0.25  # bpp
SAMPLE = 24  # pictures a cohort
BICUBIC = "bicubic"
TRAIN, DEV, TEST = "train", "dev", "test"
COHORTS = (TRAIN, DEV, TEST)
ALL, COLOURFUL, REST = "all", "most colourful quarter", "rest"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One picture through every codec at the same bytes."""

    cohort: str
    picture: str
    colourfulness: float  # Hasler and Suesstrunk; 0 for grey, 109 for extreme
    ms_ssim: dict[str, float]  # by codec; one that cannot reach the rate is missing


@dataclass(frozen=True, kw_only=True)
class CohortRow:
    """The mean of a group of pictures that all codecs can bring to the rate."""

    cohort: str
    group: str
    pictures: int
    ms_ssim: dict[str, float]  # by codec
    wins: int  # pictures on which the first codec is above JPEG


@dataclass(frozen=True, kw_only=True)
class Gap:
    """How much better a codec does on one cohort than on another; JPEG's own gap is what the pictures differ by."""

    codec: str
    over: str  # the cohort that should not be better
    under: str
    ms_ssim: float
    gain: float  # of what it adds to bicubic half size + JPEG, which never learned: overfitting shows here


@dataclass(frozen=True, kw_only=True)
class CohortResult:
    """Everything a cohort table says."""

    rate: float  # bpp
    codecs: list[str]  # the one in question first, JPEG last
    rows: list[CohortRow]
    gaps: list[Gap]
    pictures: list[Measured]
    left_out: dict[str, str]  # picture -> why
    schema: str = SCHEMA

    def to_json(self) -> str:
        """Return one JSON object of these fields."""
        return to_json(self)


def run_cohorts(  # noqa: PLR0913 - options of one command, all but two by keyword
    cohorts: Mapping[str, Sequence[Path]],
    codecs: Sequence[Rival],
    *,
    rate: float = RATE,
    sample: int = SAMPLE,
    jobs: int = 1,
    on_done: Callable[[str], None] | None = None,
) -> CohortResult:
    """Measure all codecs at the same bytes on a sample of each cohort.

    Args:
        cohorts: Pictures by the cohort's name.
        codecs: The one in question first; `bicubic` and `jpeg` must be among them, each with qualities 1 to 100.
        rate: Bits per pixel.
        sample: Pictures a cohort, spread evenly over it.
        jobs: Processes to spread the pictures over.
        on_done: Called with the name of each picture.

    Raises:
        UsageError: The rate is not above 0, or no picture of a cohort can be measured.
    """
    if not (math.isfinite(rate) and rate > 0):
        raise UsageError(f"rate {rate}: expected bits per pixel above 0")
    tasks = [(name, task) for name, paths in cohorts.items() for task in name_pictures(spread(paths, sample))]
    work = partial(measure, codecs=codecs, rate=rate)
    found = list(over_pictures(work, [task for _, task in tasks], jobs=jobs, on_done=on_done))
    names = [codec.name for codec in codecs]
    measured: list[Measured] = []
    left_out: dict[str, str] = {}
    for (cohort, task), result in zip(tasks, found, strict=True):
        if isinstance(result, str):
            left_out[task.name] = result
        else:
            measured.append(Measured(cohort=cohort, picture=task.name, colourfulness=result[0], ms_ssim=result[1]))
            missing = [name for name in names if name not in result[1]]
            if missing:
                left_out[task.name] = f"{', '.join(missing)} cannot reach {rate:g} bits per pixel"
    rows = [row for cohort in cohorts for row in rows_of(cohort, measured, names)]
    return CohortResult(
        rate=rate, codecs=names, rows=rows, gaps=gaps_of(rows, names), pictures=measured, left_out=left_out
    )


def spread(paths: Sequence[Path], count: int) -> list[Path]:
    """At most `count` of the paths, evenly spread over their order."""
    if len(paths) <= count:
        return list(paths)
    return [paths[round(i)] for i in np.linspace(0, len(paths) - 1, count)]


def measure(task: Task, codecs: Sequence[Rival], rate: float) -> tuple[float, dict[str, float]] | str:
    """Colourfulness of one picture and MS-SSIM by codec, or why it cannot be measured."""
    try:
        rgb = load_rgb(task.path)
    except PictureError as error:
        return str(error)
    scores = {codec.name: score for codec in codecs if (score := ms_ssim_at_rate(rgb, codec, rate)) is not None}
    return colourfulness(rgb), scores


def ms_ssim_at_rate(rgb: Pixels, codec: Rival, rate: float) -> float | None:
    """MS-SSIM of uint8 (H, W, 3) at exactly `rate` bpp: between the two neighbouring qualities, linear over ln bytes.

    None where the coarsest quality takes more, or the finest less.
    """
    most = rate * rgb.shape[0] * rgb.shape[1] / 8  # bytes
    below = best_fitting(lambda quality: codec.encode(rgb, quality), most)
    if below is None or below[0] == 100:
        return None
    files = below[1], codec.encode(rgb, below[0] + 1)
    low, high = (ms_ssim(codec.decode(data), rgb) for data in files)
    share = math.log(most / len(files[0])) / math.log(len(files[1]) / len(files[0]))
    return low + share * (high - low)


def rows_of(cohort: str, measured: Sequence[Measured], codecs: Sequence[str]) -> list[CohortRow]:
    """The cohort, its most colourful quarter and the rest, over the pictures that all codecs bring to the rate.

    Raises:
        UsageError: There is none.
    """
    members = [m for m in measured if m.cohort == cohort and m.ms_ssim.keys() >= set(codecs)]
    if not members:
        raise UsageError(f"cohort {cohort}: no picture that all codecs bring to the rate; choose others or another one")
    members.sort(key=lambda m: -m.colourfulness)
    quarter = math.ceil(len(members) / 4)
    groups = {ALL: members, COLOURFUL: members[:quarter], REST: members[quarter:]}
    return [_row(cohort, group, chosen, codecs) for group, chosen in groups.items() if chosen]


def _row(cohort: str, group: str, members: Sequence[Measured], codecs: Sequence[str]) -> CohortRow:
    return CohortRow(
        cohort=cohort,
        group=group,
        pictures=len(members),
        ms_ssim={name: float(np.mean([m.ms_ssim[name] for m in members])) for name in codecs},
        wins=sum(m.ms_ssim[codecs[0]] > m.ms_ssim[ANCHOR] for m in members),
    )


def gaps_of(rows: Sequence[CohortRow], codecs: Sequence[str]) -> list[Gap]:
    """Train over test and train over dev, for every codec, where these cohorts are there."""
    means = {row.cohort: row.ms_ssim for row in rows if row.group == ALL}
    pairs = [(TRAIN, other) for other in (TEST, DEV) if {TRAIN, other} <= means.keys()]
    return [
        Gap(
            codec=name,
            over=over,
            under=under,
            ms_ssim=means[over][name] - means[under][name],
            gain=(means[over][name] - means[over][BICUBIC]) - (means[under][name] - means[under][BICUBIC]),
        )
        for over, under in pairs
        for name in codecs
    ]
