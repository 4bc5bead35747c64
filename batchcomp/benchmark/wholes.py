"""Whole runs of commands, each in a process of its own, over files made of photos: time, memory, archive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from batchcomp.archive import ArchiveReader
from batchcomp.benchmark.curves import load_rgb
from batchcomp.benchmark.machine import ProcessRun, run_measured
from batchcomp.benchmark.material import write_crops, write_mosaic
from batchcomp.errors import UsageError
from batchcomp.images.picture import Pixels

SMALL_SIDE = 256  # pixels of the many small files
TYPED_MEGAPIXELS = 12  # larger ones are not measured: only their memory is asked for
MAX_BYTES_OF_PHOTOS = 300 << 20  # of pixels held to cut crops from


@dataclass(frozen=True, kw_only=True)
class CommandRun:
    """One run of a command from start to end, with the start-up of the interpreter and the decoders."""

    what: str
    files: int
    megapixels: float  # of all files together
    seconds: float
    first_seconds: float | None  # until the first picture was stored
    peak_bytes: int | None
    extra_bytes: float | None = None  # of the archive beyond its payloads, a picture
    cpu_seconds: float | None = None  # computing, of the process and those it started

    def working_mps(self, startup: float) -> float:
        """Megapixels a second once the run has started: what counts in a run over many files."""
        return self.megapixels / max(1e-9, self.seconds - startup)


@dataclass(frozen=True, kw_only=True)
class Command:
    """Runs `batchcomp` in a process of its own and checks that it succeeded."""

    device: str
    threads: int
    model: Path | None
    on_done: Callable[[str], None]

    def run(self, what: str, name: str, *arguments: str | Path, files: int, megapixels: float) -> CommandRun:
        """Run one command; `files` and `megapixels` are what it has to do. Raises UsageError where it fails."""
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
            cpu_seconds=ran.cpu_seconds,
        )


def write_bulk(pixels: Pixels, folder: Path, count: int, megapixels: float) -> None:
    """Write so many files of that size with content that differs, or it would be stored once."""
    side = min(pixels.shape[:2])
    for number in range(count):
        write_mosaic(pixels[number * side // (40 * count) :], folder / f"{number}.jpg", megapixels)


def bulk_runs(command: Command, sources: Path, megapixels: float, mark: str = "") -> list[CommandRun]:
    """Compress the files in `sources` without and with measuring, and decode them; `mark` ends the runs' names."""
    count = len(list(sources.iterdir()))
    place = sources.parent / f"bulk{mark}".replace(" ", "-")
    bare, full = place / "bare.bca", place / "full.bca"
    jobs: dict[str, tuple[str | Path, ...]] = {
        "compress": ("compress", sources, "-o", bare, "--no-measure"),
        "compress, measured": ("compress", sources, "-o", full),
        "decode to PNG": ("decode", bare, "-o", place / "out"),
    }
    return [
        command.run(what + mark, str(name), *arguments, "--json", files=count, megapixels=megapixels * count)
        for what, (name, *arguments) in jobs.items()
    ]


def bare_run(command: Command, what: str, sources: Path, megapixels: float, *more: str) -> CommandRun:
    """Compress the files in `sources` without measuring, with more options."""
    count, archive = len(list(sources.iterdir())), sources.parent / f"{what}.bca".replace(" ", "-")
    options = ["-o", str(archive), "--no-measure", "--json", *more]
    return command.run(what, "compress", sources, *options, files=count, megapixels=megapixels * count)


def small_runs(
    command: Command, folder: Path, photos: Sequence[Path], counts: Sequence[int], mark: str = ""
) -> list[CommandRun]:
    """Compress many small files, not measured, and weigh the archives; `mark` ends the runs' names."""
    sources: list[Pixels] = []
    for path in photos:
        if sum(source.nbytes for source in sources) < MAX_BYTES_OF_PHOTOS:
            sources.append(load_rgb(path))
    found = []
    for count in counts:
        place, archive = folder / str(count), folder / f"{count}.bca"
        write_crops(sources, place, count, SMALL_SIDE)
        what = f"{count:,} files of {SMALL_SIDE} px{mark}"
        options = ["-o", str(archive), "--no-measure", "--json"]
        ran = command.run(what, "compress", place, *options, files=count, megapixels=count * SMALL_SIDE**2 / 1e6)
        found.append(replace(ran, extra_bytes=extra_bytes(archive)))
    return found


def extra_bytes(archive: Path) -> float:
    """Bytes of an archive beyond its payloads, a picture."""
    with ArchiveReader.open(archive) as opened:
        payloads = [row.payload_bytes for row in opened.rows() if not row.owner_segment]
    size = sum(path.stat().st_size for path in archive.rglob("*") if path.is_file())
    return (size - sum(payloads)) / max(1, len(payloads))


def single_runs(
    command: Command, folder: Path, pixels: Pixels, sizes: Sequence[float], mark: str = ""
) -> list[CommandRun]:
    """Compress one picture of each size; up to `TYPED_MEGAPIXELS` as typed, that is measured."""
    found = []
    for size in sizes:
        place = folder / f"{size:g}"
        write_mosaic(pixels, place / "a.jpg", size)
        typed = size <= TYPED_MEGAPIXELS
        what = f"one picture of {size:g} MP{', measured' if typed else ''}{mark}"
        options = ["-o", f"{place}.bca", "--json", *([] if typed else ["--no-measure"])]
        found.append(command.run(what, "compress", place, *options, files=1, megapixels=size))
    return found
