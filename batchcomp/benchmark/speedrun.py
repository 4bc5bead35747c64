"""`bench speed`: stages, rivals, nets against the machine's peak, and how runs scale; all in one run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from batchcomp.benchmark.curves import load_rgb
from batchcomp.benchmark.machine import ProcessRun, fingerprint, in_parallel, median_seconds, run_measured
from batchcomp.benchmark.material import write_crops, write_mosaic
from batchcomp.benchmark.results import to_json
from batchcomp.benchmark.rivals import PACE, SPEEDS, timed_rival
from batchcomp.benchmark.rivals.base import Rival
from batchcomp.benchmark.speed import quality_near
from batchcomp.benchmark.stages import NetSpeed, Stage, measure_hyperprior, measure_nets, measure_stages
from batchcomp.codec.codec import Codec
from batchcomp.errors import UsageError
from batchcomp.images.picture import Pixels

SCHEMA = "batchcomp-speed/1"
SMALL_SIDE = 256  # pixels of the many small files
MAX_BYTES_OF_PHOTOS = 300 << 20  # of pixels held to cut crops from


@dataclass(frozen=True, kw_only=True)
class SpeedPlan:
    """What to run: how many small files, how many megapixels in one file, and repetitions of each timing."""

    files: tuple[int, ...] = (1, 10, 100, 1000)
    megapixels: tuple[float, ...] = (1, 12, 50, 200)
    bulk: int = 12  # files of the photo itself, for end-to-end speed and memory
    runs: int = 3
    quick_rivals: tuple[str, ...] = ()  # of `SPEEDS`; none: all


QUICK = SpeedPlan(
    files=(10, 100),
    megapixels=(1, 12),
    bulk=4,
    runs=1,
    quick_rivals=(PACE, "svt-av1 preset 6", "jpegxl effort 7", "jpeg"),
)
LONG = SpeedPlan(files=(1, 10, 100, 1000, 10_000))


@dataclass(frozen=True, kw_only=True)
class RivalSpeed:
    """A rival on the same picture with the same threads, near 0.5 bits per pixel."""

    name: str
    quality: float
    encode_mps: float
    decode_mps: float
    bpp: float = 0.0
    over_pace: float | None = None  # encoding, over AVIF at speed 6 timed beside it


@dataclass(frozen=True, kw_only=True)
class CommandRun:
    """One run of a command from start to end, with the start-up of the interpreter, torch and the decoders."""

    what: str
    files: int
    megapixels: float  # of all files together
    seconds: float
    first_seconds: float | None  # until the first picture was stored
    peak_bytes: int | None

    def working_mps(self, startup: float) -> float:
        """Megapixels a second once the run has started: what counts in a run over many files."""
        return self.megapixels / max(1e-9, self.seconds - startup)


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
    startup_seconds: float  # of `compress` with one tiny file
    stages: list[Stage]
    nets: list[NetSpeed]
    rivals: list[RivalSpeed]
    wholes: list[CommandRun]
    small_files: list[CommandRun]
    large_pictures: list[CommandRun]
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
    }  # fmt: skip
    try:
        fields: dict[str, Any] = {
            name: [rows[name](**one) for one in value] if name in rows else value
            for name, value in json.loads(text).items()
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
    stages = measure_stages(path, codec, threads=threads, runs=plan.runs)
    on_done("stages")
    peak, nets = measure_nets(stages, codec, threads=threads)
    nets.append(measure_hyperprior(codec.device.torch, threads=threads, runs=plan.runs))
    on_done("nets")
    rivals = _rivals(pixels, plan.quick_rivals or tuple(SPEEDS), threads, plan.runs, on_done)
    command = _Command(device=codec.device.type, threads=threads, model=model, on_done=on_done)
    with tempfile.TemporaryDirectory(prefix="batchcomp-speed-") as folder:
        startup = _small(command, Path(folder, "startup"), photos, (1,))[0].seconds
        wholes = _wholes(command, Path(folder, "bulk"), pixels, plan.bulk)
        small = _small(command, Path(folder, "small"), photos, plan.files)
        large = _large(command, Path(folder, "large"), pixels, plan.megapixels)
    return SpeedReport(
        machine=fingerprint(),
        threads=threads,
        device=str(codec.device),
        engine=codec.engine,
        picture=path.name,
        megapixels=pixels.shape[0] * pixels.shape[1] / 1e6,
        peak_gflops=peak,
        startup_seconds=startup,
        stages=stages,
        nets=nets,
        rivals=rivals,
        wholes=wholes,
        small_files=small,
        large_pictures=large,
    )


def _largest(photos: Sequence[Path]) -> tuple[Path, Pixels]:
    best: tuple[Path, Pixels] | None = None
    for path in photos:
        pixels = load_rgb(path)
        if best is None or pixels.size > best[1].size:
            best = path, pixels
    assert best is not None  # noqa: S101  (there is a photo)
    return best


def _rivals(
    pixels: Pixels, names: Sequence[str], threads: int, runs: int, on_done: Callable[[str], None]
) -> list[RivalSpeed]:
    """Time each, and the pace again beside it: a machine's speed changes from minute to minute."""
    found = []
    for name in names:
        one = _encoder(pixels, name, threads, runs)
        if one is None:
            on_done(f"{name}: not installed")
            continue
        pace = one if name == PACE else _encoder(pixels, PACE, threads, 1, one_thread_too=False)
        found.append(replace(one, over_pace=one.encode_mps / pace.encode_mps if pace else None))
        on_done(name)
    return found


def _encoder(pixels: Pixels, name: str, threads: int, runs: int, *, one_thread_too: bool = True) -> RivalSpeed | None:
    """The better of: one picture with the library's own threads, and a picture a thread. None: not installed."""
    inside, alone = timed_rival(name, threads=threads), timed_rival(name, threads=1)
    if inside is None or alone is None:
        return None
    quality = quality_near(pixels, inside)
    data = inside.encode(pixels, quality)
    megapixels = pixels.shape[0] * pixels.shape[1] / 1e6

    def best(work: Callable[[Rival], object]) -> float:  # megapixels a second
        one = median_seconds(lambda: work(inside), runs)
        if not one_thread_too:
            return float(megapixels / one)
        several = median_seconds(in_parallel(lambda: work(alone), threads), runs) / threads
        return float(megapixels / min(one, several))

    return RivalSpeed(
        name=name,
        quality=quality,
        bpp=8 * len(data) / (1e6 * megapixels),
        encode_mps=best(lambda rival: rival.encode(pixels, quality)),
        decode_mps=best(lambda rival: rival.decode(data)),
    )


@dataclass(frozen=True, kw_only=True)
class _Command:
    """Runs `batchcomp` in a process of its own and checks that it succeeded."""

    device: str
    threads: int
    model: Path | None
    on_done: Callable[[str], None]

    def run(self, what: str, name: str, *arguments: str | Path, files: int, megapixels: float) -> CommandRun:
        common = ["--jobs", str(self.threads), "--device", self.device]
        common += ["--model", str(self.model)] if self.model else []
        ran: ProcessRun = run_measured([name, *map(str, arguments), *common])
        if ran.code:
            raise UsageError(f"{what}: the run ended with {ran.code}: {ran.errors.strip()[-300:]}")
        self.on_done(what)
        return CommandRun(
            what=what,
            files=files,
            megapixels=megapixels,
            seconds=ran.seconds,
            first_seconds=ran.first_seconds,
            peak_bytes=ran.peak_bytes,
        )


def _wholes(command: _Command, folder: Path, pixels: Pixels, count: int) -> list[CommandRun]:
    """Compress without and with measuring, and decode, several files of the photo's own size."""
    side = min(pixels.shape[:2])
    megapixels = pixels.shape[0] * pixels.shape[1] / 1e6
    for number in range(count):
        shifted = pixels[number * side // (40 * count) :]  # content that differs, or it would be stored once
        write_mosaic(shifted, folder / "in" / f"{number}.jpg", megapixels)
    bare, full = folder / "bare.bca", folder / "full.bca"
    jobs: dict[str, tuple[str | Path, ...]] = {
        "compress": ("compress", folder / "in", "-o", bare, "--no-measure"),
        "compress, measured": ("compress", folder / "in", "-o", full),
        "decode to PNG": ("decode", bare, "-o", folder / "out"),
    }
    return [
        command.run(what, str(name), *arguments, "--json", files=count, megapixels=megapixels * count)
        for what, (name, *arguments) in jobs.items()
    ]


def _small(command: _Command, folder: Path, photos: Sequence[Path], counts: Sequence[int]) -> list[CommandRun]:
    sources: list[Pixels] = []
    for path in photos:
        if sum(source.nbytes for source in sources) < MAX_BYTES_OF_PHOTOS:
            sources.append(load_rgb(path))
    found = []
    for count in counts:
        place = folder / str(count)
        write_crops(sources, place, count, SMALL_SIDE)
        what = f"{count:,} files of {SMALL_SIDE} px"
        options = ["-o", f"{place}.bca", "--no-measure", "--json"]
        found.append(
            command.run(what, "compress", place, *options, files=count, megapixels=count * SMALL_SIDE**2 / 1e6)
        )
    return found


def _large(command: _Command, folder: Path, pixels: Pixels, sizes: Sequence[float]) -> list[CommandRun]:
    found = []
    for size in sizes:
        place = folder / f"{size:g}"
        write_mosaic(pixels, place / "a.jpg", size)
        what = f"one picture of {size:g} MP"
        options = ["-o", f"{place}.bca", "--no-measure", "--json"]
        found.append(command.run(what, "compress", place, *options, files=1, megapixels=size))
    return found
