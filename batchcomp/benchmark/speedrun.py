"""`bench speed`: stages, rivals, nets against the machine's peak, and how runs scale; all in one run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from batchcomp.benchmark.curves import load_rgb
from batchcomp.benchmark.machine import fingerprint
from batchcomp.benchmark.material import QUALITY
from batchcomp.benchmark.results import to_json
from batchcomp.benchmark.rival_speed import Pace, RivalSpeed, time_rivals
from batchcomp.benchmark.rivals import PACE, SPEEDS
from batchcomp.benchmark.scaling import scaling_runs
from batchcomp.benchmark.stages import NetSpeed, Stage, measure_hyperprior, measure_nets, measure_stages
from batchcomp.benchmark.wholes import Command, CommandRun, bare_run, bulk_runs, single_runs, small_runs, write_bulk
from batchcomp.codec.codec import Codec
from batchcomp.codec.weights import is_shipped
from batchcomp.errors import UsageError
from batchcomp.images.picture import Pixels
from batchcomp.report.speed import LIGHT
from batchcomp.report.trade import DEFAULT

SCHEMA = "batchcomp-speed/2"
PACKED = "packed"  # marks runs with --pack
WHOLE = 1e9  # megapixels: the photo as it is
TARGET_MEGAPIXELS = 1, 12  # of the single pictures that targets speak of
STARTS = 3  # runs over one tiny file, the shortest of which is the start-up: the first reads everything from the disk


@dataclass(frozen=True, kw_only=True)
class SpeedPlan:
    """What to run. Numbers of files; megapixels of pictures; `runs` is repetitions of each timing."""

    files: tuple[int, ...] = (100, 1000)  # small ones, in runs of so many
    megapixels: tuple[float, ...] = (1, 12, 50)  # one picture of each size
    bulk: int = 6
    bulk_megapixels: float = 12
    light: int = 4  # of the bulk's files, with the lightest model too
    light_files: int = 1000  # small ones with it
    cores: int = 2  # of the bulk's files, on one core and on two, with the lightest model where none is named
    packed: int = 2  # and packed, not measured, where that is installed
    timed_megapixels: float = 2  # of the crop that stages, networks and rivals are timed on
    runs: int = 1
    quick_rivals: tuple[str, ...] = ()  # of `SPEEDS`; none: all


QUICK = SpeedPlan(
    files=(200,),
    megapixels=(1, 12),
    bulk=2,
    light=1,
    light_files=200,
    cores=0,
    packed=0,
    timed_megapixels=1,
    quick_rivals=(PACE, "svt-av1 preset 6", "jpegxl effort 7", "jpeg"),
)
LONG = SpeedPlan(
    files=(1, 10, 100, 1000, 10_000),
    megapixels=(1, 12, 50, 200),
    bulk=12,
    light=12,
    timed_megapixels=WHOLE,
    runs=3,
)


@dataclass(frozen=True, kw_only=True)
class SpeedReport:
    """Everything found."""

    machine: str
    threads: int
    device: str
    engine: str
    picture: str
    megapixels: float
    peak_gflops: float
    pace_mps: float  # AVIF at speed 6 encoding a picture of the bulk, mean of before and after the whole runs
    startup_seconds: float  # of `compress` with one tiny file
    stages: list[Stage]
    nets: list[NetSpeed]
    rivals: list[RivalSpeed]
    wholes: list[CommandRun]
    small_files: list[CommandRun]
    large_pictures: list[CommandRun]
    scaling: list[CommandRun] = field(default_factory=list)  # on one core and on two
    model: str = DEFAULT  # of what names none
    schema: str = SCHEMA

    def to_json(self) -> str:
        """Return one JSON object of these fields; what does not apply is null."""
        return to_json(self)


def read_report(text: str) -> SpeedReport:
    """Return what an earlier run wrote as JSON.

    Raises:
        ValueError: it is no such report, or of another version.
    """
    rows: dict[str, Callable[..., Any]] = {
        "stages": Stage, "nets": NetSpeed, "rivals": RivalSpeed,
        "wholes": CommandRun, "small_files": CommandRun, "large_pictures": CommandRun,
        "scaling": CommandRun,
    }  # fmt: skip
    try:
        raw = json.loads(text)
        if raw["schema"] != SCHEMA:
            raise ValueError(f"no report of bench speed (schema {raw['schema']!r}, expected {SCHEMA!r})")
        fields: dict[str, Any] = {
            name: [rows[name](**one) for one in value] if name in rows else value for name, value in raw.items()
        }
        return SpeedReport(**fields)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no report of bench speed ({error})") from error


def run_speed(  # noqa: PLR0913 - options of one command, all but two by keyword
    photos: Sequence[Path],
    codec: Codec,
    *,
    threads: int,
    plan: SpeedPlan = SpeedPlan(),
    model: Path | None = None,
    on_done: Callable[[str], None] = lambda _: None,
) -> SpeedReport:
    """Time everything on the largest of the photos, and runs over files made of them.

    Args:
        photos: pictures of 8-bit RGB or grey.
        codec: with its device; the runs of whole commands open their own.
        threads: of every stage, rival and run.
        plan: how much of it.
        model: the file of the codec's model, where it is not the default one.
        on_done: called with what was just measured.

    Raises:
        UsageError: no photo, or a run of the command failed.
        PictureError: a photo cannot be read.
    """
    if not photos:
        raise UsageError("nothing to time: name at least one photo")
    path, pixels = _largest(photos)
    command = Command(device=codec.device.type, threads=threads, model=model, on_done=on_done)
    with tempfile.TemporaryDirectory(prefix="batchcomp-speed-") as folder:
        pace, wholes, startup = _wholes(command, Path(folder), photos, pixels, plan)
        small = small_runs(command, Path(folder, "small"), photos, plan.files)
        large = single_runs(command, Path(folder, "large"), pixels, plan.megapixels)
        scaling = _scaling(command, Path(folder, "cores", "in"), pixels, plan)
        path = _cropped(path, pixels, plan.timed_megapixels, Path(folder))
        stages = measure_stages(path, codec, threads=threads, runs=plan.runs)
        on_done("stages")
        peak, nets = measure_nets(stages, codec, threads=threads)
        nets.append(measure_hyperprior(codec.device.torch, threads=threads, runs=plan.runs))
        on_done("nets")
        timed = load_rgb(path)
        rivals = time_rivals(timed, plan.quick_rivals or tuple(SPEEDS), threads, plan.runs, on_done)
    return SpeedReport(
        machine=fingerprint(),
        threads=threads,
        device=str(codec.device),
        engine=codec.engine,
        picture=path.name,
        megapixels=timed.shape[0] * timed.shape[1] / 1e6,
        peak_gflops=peak,
        pace_mps=pace,
        startup_seconds=startup,
        stages=stages,
        nets=nets,
        rivals=rivals,
        wholes=wholes,
        small_files=small,
        large_pictures=large,
        scaling=scaling,
        model=model.stem if model else DEFAULT,
    )


def _wholes(
    command: Command, folder: Path, photos: Sequence[Path], pixels: Pixels, plan: SpeedPlan
) -> tuple[float, list[CommandRun], float]:
    """The pace in megapixels a second, runs over files of the bulk's size, and seconds that a run takes to start."""
    starts = [small_runs(command, folder / f"startup {number}", photos, (1,))[0].seconds for number in range(STARTS)]
    counts = {"bulk": plan.bulk, LIGHT: 0 if command.model else plan.light}
    counts[PACKED] = plan.packed if find_spec("constriction") else 0
    places = {name: folder / name / "in" for name in counts}
    for name, count in counts.items():
        if count and (name in {"bulk", PACKED} or is_shipped(Path(name))):
            write_bulk(pixels, places[name], count, plan.bulk_megapixels)
    pace = Pace(load_rgb(places["bulk"] / "0.jpg"), command.threads)
    before, size = pace.mps(), plan.bulk_megapixels
    wholes = bulk_runs(command, places["bulk"], size)
    light, mark = replace(command, model=Path(LIGHT)), f", {LIGHT}"
    if places[LIGHT].exists():
        wholes += bulk_runs(light, places[LIGHT], size, mark)
        wholes += small_runs(light, folder / "small light", photos, (plan.light_files,), mark)
        wholes += single_runs(light, folder / "large light", pixels, TARGET_MEGAPIXELS, mark)
    if places[PACKED].exists():
        wholes.append(bare_run(command, f"compress, {PACKED}", places[PACKED], size, "--pack"))
        if places[LIGHT].exists():
            wholes.append(bare_run(light, f"compress, {PACKED}, {LIGHT}", places[PACKED], size, "--pack"))
    return (before + pace.mps()) / 2, wholes, min(starts)


def _scaling(command: Command, place: Path, pixels: Pixels, plan: SpeedPlan) -> list[CommandRun]:
    """The same commands on fewer cores."""
    if not plan.cores:
        return []
    write_bulk(pixels, place, plan.cores, plan.bulk_megapixels)
    if command.model is None and is_shipped(Path(LIGHT)):
        command = replace(command, model=Path(LIGHT))
    return scaling_runs(command, place, plan.bulk_megapixels)


def _cropped(path: Path, pixels: Pixels, megapixels: float, folder: Path) -> Path:
    """The photo, or a file of so much of its middle."""
    height, width = pixels.shape[:2]
    share = (megapixels * 1e6 / (height * width)) ** 0.5
    if share >= 1:
        return path
    rows, columns = max(1, int(height * share)), max(1, int(width * share))
    top, left = (height - rows) // 2, (width - columns) // 2
    place = folder / f"{path.stem}.jpg"
    Image.fromarray(pixels[top : top + rows, left : left + columns]).save(place, quality=QUALITY)
    return place


def _largest(photos: Sequence[Path]) -> tuple[Path, Pixels]:
    best: tuple[Path, Pixels] | None = None
    for path in photos:
        pixels = load_rgb(path)
        if best is None or pixels.size > best[1].size:
            best = path, pixels
    assert best is not None  # noqa: S101  (there is a photo)
    return best
