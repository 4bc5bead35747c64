"""One benchmark from pictures to rows; what prints them is elsewhere."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from joblib import cpu_count

from batchcomp.benchmark.compare import (
    RATES,
    BdRate,
    MeanPoint,
    Wins,
    compare_bd_rate,
    count_wins,
    mean_curve,
    of_rival,
)
from batchcomp.benchmark.curves import Point, Task, load_rgb, measure_picture, name_pictures, over_pictures
from batchcomp.benchmark.guards import GUARD_RATES, Guard, GuardSummary, guard_picture, summarise
from batchcomp.benchmark.rivals import ANCHOR, RIVALS, Jpeg, OurCodec, Ours, Rival, make_rivals
from batchcomp.benchmark.speed import Speed, measure_speeds
from batchcomp.errors import UsageError

SCHEMA = "batchcomp-bench/1"


@dataclass(frozen=True, kw_only=True)
class BenchResult:
    """Everything a benchmark found, as rows."""

    pictures: list[str]
    rivals: list[str]  # ours first
    points: list[Point]
    mean_curves: dict[str, list[MeanPoint]]  # by rival
    bd_rates: list[BdRate]
    wins: list[Wins]
    guards: list[Guard]
    guard_summaries: list[GuardSummary]
    speeds: list[Speed]
    schema: str = SCHEMA

    def to_json(self) -> str:
        """Return one JSON object of these fields; infinite values (PSNR of lossless points) become null."""
        return json.dumps(_finite(asdict(self)), indent=1, allow_nan=False)


def run_bench(  # noqa: PLR0913 - options of one command, all but two by keyword
    pictures: Sequence[Path],
    codec: OurCodec,
    *,
    rivals: Iterable[str] = tuple(RIVALS),
    rates: Sequence[float] = RATES,
    guard_rates: Sequence[float] = GUARD_RATES,
    speed: bool = False,
    curves: bool = True,
    more: Sequence[Rival] = (),
    jobs: int = 1,
    on_done: Callable[[str, str], None] | None = None,
) -> BenchResult:
    """Measure our codec and its rivals on the same pictures.

    Args:
        pictures: Files of RGB or grey pictures, sides of 8 px or more.
        codec: Ours; with `jobs` above 1 it is sent to other processes, which suits codecs on the CPU only.
        rivals: Names in `RIVALS`; JPEG, the anchor of all comparisons, is always among them.
        rates: Bits per pixel at which wins are counted.
        guard_rates: Bits per pixel at which the guards are measured (the slow part: SSIMULACRA2).
        speed: Whether to time all codecs, on the largest picture, with all cores.
        curves: Whether to measure rate-distortion curves; without them there is no BD-rate and no win.
        more: Codecs to draw curves of beside ours and its rivals, such as `OursPacked`.
        jobs: Processes to spread the pictures over.
        on_done: Called with a stage, "curves", "guards" or "speed", and the name of what it finished.

    Raises:
        UsageError: No picture, or an unknown rival.
        PictureError: A picture cannot be read.
    """
    if not pictures:
        raise UsageError("nothing to benchmark: name at least one picture")
    names = [ANCHOR, *(name for name in rivals if name != ANCHOR)]
    codecs: list[Rival] = [Ours(codec), *more, *make_rivals(names)]
    tasks = name_pictures(pictures)
    points = _curves(tasks, codecs, jobs, _stage(on_done, "curves")) if curves else []
    compared = [each.name for each in codecs] if curves else []
    guards = _guards(tasks, codecs[0], guard_rates, jobs, _stage(on_done, "guards"))
    return BenchResult(
        pictures=[task.name for task in tasks],
        rivals=[each.name for each in codecs],
        points=points,
        mean_curves={name: mean_curve(of_rival(points, name)) for name in compared},
        bd_rates=[compare_bd_rate(points, name, ANCHOR) for name in compared],
        wins=[count_wins(points, name, ANCHOR, rate) for name in compared if name != ANCHOR for rate in rates],
        guards=guards,
        guard_summaries=[summary for rate in guard_rates if (summary := summarise(guards, rate))],
        speeds=_speeds(tasks, codec, names, _stage(on_done, "speed")) if speed else [],
    )


def _curves(
    tasks: Sequence[Task], codecs: Sequence[Rival], jobs: int, on_done: Callable[[str], None] | None
) -> list[Point]:
    work = partial(measure_picture, rivals=codecs)
    return [point for found in over_pictures(work, tasks, jobs=jobs, on_done=on_done) for point in found]


def _guards(
    tasks: Sequence[Task], ours: Rival, rates: Sequence[float], jobs: int, on_done: Callable[[str], None] | None
) -> list[Guard]:
    if not rates:
        return []
    work = partial(guard_picture, rates=rates, ours=ours, anchor=Jpeg())
    return [guard for found in over_pictures(work, tasks, jobs=jobs, on_done=on_done) for guard in found]


def _speeds(
    tasks: Sequence[Task], codec: OurCodec, names: Sequence[str], on_done: Callable[[str], None] | None
) -> list[Speed]:
    threads = cpu_count()
    largest = max((load_rgb(task.path) for task in tasks), key=lambda rgb: rgb.size)
    codecs = [Ours(codec), *make_rivals(names, threads=threads)]
    return measure_speeds(largest, codecs, threads=threads, on_done=on_done)


def _stage(on_done: Callable[[str, str], None] | None, stage: str) -> Callable[[str], None] | None:
    return partial(on_done, stage) if on_done else None


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
