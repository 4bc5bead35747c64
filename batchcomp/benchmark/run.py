"""One benchmark from pictures to rows; what prints them is elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

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
from batchcomp.benchmark.eye import EyeRate, all_by_eye
from batchcomp.benchmark.guards import GUARD_RATES, FileScores, Guard, GuardSummary, guard_picture, summarise
from batchcomp.benchmark.results import points_of, to_json
from batchcomp.benchmark.rivals import every, make_rivals
from batchcomp.benchmark.rivals.base import ANCHOR, MOZJPEG, Rival
from batchcomp.benchmark.rivals.ours import OurCodec, Ours
from batchcomp.benchmark.speed import Speed, measure_speeds
from batchcomp.errors import UsageError
from batchcomp.report.trade import OURS, is_ours

SCHEMA = "batchcomp-bench/1"
ANCHORS = (ANCHOR, MOZJPEG)  # with which every codec is compared, where they were measured
EYE_ANCHORS = ("avif", "jpegxl", *ANCHORS)  # bytes at equal SSIMULACRA2 are compared with theirs


@dataclass(frozen=True, kw_only=True)
class BenchResult:
    """Everything a benchmark found, as rows."""

    pictures: list[str]
    rivals: list[str]  # ours first
    points: list[Point]
    mean_curves: dict[str, list[MeanPoint]]  # by rival
    bd_rates: list[BdRate]
    eye_rates: list[EyeRate]  # against AVIF, JPEG XL and JPEG, as far as they were measured
    wins: list[Wins]
    guards: list[Guard]
    guard_summaries: list[GuardSummary]
    speeds: list[Speed]
    schema: str = SCHEMA

    def to_json(self) -> str:
        """Return one JSON object of these fields; infinite values (PSNR of lossless points) become null."""
        return to_json(self)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What is measured itself; all else follows."""

    points: Sequence[Point]
    guards: Sequence[Guard]
    speeds: Sequence[Speed]


@dataclass(frozen=True, kw_only=True)
class BenchSettings:
    """What to measure."""

    rivals: Sequence[str] = (
        "jpeg",
        "webp",
        "avif",
        "jpegxl",
    )  # JPEG, the anchor of all comparisons, is always among them
    rates: Sequence[float] = RATES  # bits per pixel at which wins are counted
    guard_rates: Sequence[float] = GUARD_RATES  # bpp at which the guards are measured: SSIMULACRA2 is the slow part
    known: Sequence[Point] = ()  # curves measured before, of the same pictures: those codecs are not measured again
    speed: bool = False  # whether to time all codecs, on the largest picture, with all cores
    jobs: int = 1  # processes to spread the pictures over; above 1 our codec must be on the CPU


def run_bench(  # noqa: PLR0913 - all but two by keyword in use
    pictures: Sequence[Path],
    codec: OurCodec,
    settings: BenchSettings = BenchSettings(),
    *,
    name: str = OURS,
    more: Sequence[Rival] = (),
    on_done: Callable[[str, str], None] | None = None,
) -> BenchResult:
    """Measure our codec and its rivals on the same pictures.

    Args:
        pictures: Files of RGB or grey pictures, sides of 8 px or more.
        codec: Ours.
        settings: What to measure.
        name: What ours is called.
        more: Codecs to draw curves of beside ours and its rivals, such as `OursPacked`.
        on_done: Called with a stage, "curves", "guards" or "speed", and the name of what it finished.

    Raises:
        UsageError: No picture, or an unknown rival.
        PictureError: A picture cannot be read.
    """
    if not pictures:
        raise UsageError("nothing to benchmark: name at least one picture")
    names = [ANCHOR, *(one for one in every(settings.rivals) if one != ANCHOR)]
    codecs: list[Rival] = [Ours(codec, name), *more, *make_rivals(names)]
    tasks = name_pictures(pictures)
    known = known_curves(settings.known, tasks, [each for each in codecs if not is_ours(each.name)])
    left = [each for each in codecs if each.name not in known]
    measured = _curves(tasks, left, settings.jobs, _stage(on_done, "curves"))
    points = [*measured, *(point for curve in known.values() for point in curve)]
    guards = _guards(tasks, codecs[0], settings, _stage(on_done, "guards"))
    speeds = _speeds(tasks, codecs[0], names, _stage(on_done, "speed")) if settings.speed else []
    return compared(
        [task.name for task in tasks],
        [each.name for each in codecs],
        Measured(points=points, guards=guards, speeds=speeds),
        rates=settings.rates,
    )


def compared(
    pictures: Sequence[str], rivals: Sequence[str], found: Measured, *, rates: Sequence[float] = RATES
) -> BenchResult:
    """Return what was measured and all that follows from it.

    Args:
        pictures: their names.
        rivals: ours first.
        found: what was measured.
        rates: bits per pixel at which wins are counted.
    """
    points, anchors = found.points, [anchor for anchor in ANCHORS if anchor in rivals]
    guard_rates = dict.fromkeys(guard.rate for guard in found.guards)
    return BenchResult(
        pictures=list(pictures),
        rivals=list(rivals),
        points=list(points),
        mean_curves={name: mean_curve(of_rival(points, name)) for name in rivals},
        bd_rates=[compare_bd_rate(points, name, anchor) for anchor in anchors for name in rivals],
        eye_rates=all_by_eye(points, rivals, EYE_ANCHORS),
        wins=[
            count_wins(points, name, anchor, rate)
            for anchor in anchors
            for name in rivals
            if name != anchor
            for rate in rates
        ],
        guards=list(found.guards),
        guard_summaries=[summary for rate in guard_rates if (summary := summarise(found.guards, rate))],
        speeds=list(found.speeds),
    )


def read_result(text: str) -> BenchResult:
    """Return what an earlier run wrote as JSON; what follows from its points is worked out anew.

    Raises:
        ValueError: it is no benchmark's, or of another version.
    """
    points = points_of(text)
    try:
        raw = json.loads(text)
        guards = [
            Guard(**{**one, "ours": FileScores(**one["ours"]), "anchor": FileScores(**one["anchor"])})
            for one in raw["guards"]
        ]
        found = Measured(points=points, guards=guards, speeds=[Speed(**one) for one in raw["speeds"]])
        pictures, rivals = [str(name) for name in raw["pictures"]], [str(name) for name in raw["rivals"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no result of bench curves ({error})") from error
    return compared(pictures, rivals, found)


def merged(results: Sequence[BenchResult]) -> BenchResult:
    """Return several results of the same pictures as one.

    A codec that several have is taken from the first of them; ours come first. Guards are the first result's, of one
    codec of ours; speeds those of the first that timed any, since only speeds of one run compare.
    """
    curves: dict[str, list[Point]] = {}
    for result in results:
        for name in result.rivals:
            curves.setdefault(name, of_rival(result.points, name))
    names = sorted(curves, key=lambda name: not is_ours(name))
    points = [point for name in names for point in curves[name]]
    speeds = next((result.speeds for result in results if result.speeds), [])
    found = Measured(points=points, guards=results[0].guards, speeds=speeds)
    rates = sorted({wins.rate for wins in results[0].wins}) or RATES
    return compared(results[0].pictures, names, found, rates=rates)


def known_curves(points: Iterable[Point], tasks: Sequence[Task], rivals: Sequence[Rival]) -> dict[str, list[Point]]:
    """The points of each rival that was measured before at all its qualities on all the pictures, by its name."""
    found = {(point.rival, point.picture, point.quality): point for point in points}
    curves = {}
    for rival in rivals:
        keys = [(rival.name, task.name, float(quality)) for task in tasks for quality in rival.qualities]
        if all(key in found for key in keys):
            curves[rival.name] = [found[key] for key in keys]
    return curves


def _curves(
    tasks: Sequence[Task], codecs: Sequence[Rival], jobs: int, on_done: Callable[[str], None] | None
) -> list[Point]:
    work = partial(measure_picture, rivals=codecs)
    return [point for found in over_pictures(work, tasks, jobs=jobs, on_done=on_done) for point in found]


def _guards(
    tasks: Sequence[Task], ours: Rival, settings: BenchSettings, on_done: Callable[[str], None] | None
) -> list[Guard]:
    if not settings.guard_rates:
        return []
    (anchor,) = make_rivals([ANCHOR])
    work = partial(guard_picture, rates=settings.guard_rates, ours=ours, anchor=anchor)
    return [guard for found in over_pictures(work, tasks, jobs=settings.jobs, on_done=on_done) for guard in found]


def _speeds(
    tasks: Sequence[Task], ours: Rival, names: Sequence[str], on_done: Callable[[str], None] | None
) -> list[Speed]:
    threads = cpu_count()
    largest = max((load_rgb(task.path) for task in tasks), key=lambda rgb: rgb.size)
    codecs = [ours, *make_rivals(names, threads=threads)]
    return measure_speeds(largest, codecs, threads=threads, on_done=on_done)


def _stage(on_done: Callable[[str, str], None] | None, stage: str) -> Callable[[str], None] | None:
    return partial(on_done, stage) if on_done else None
