"""Frozen settings, validated once, where the user's words enter."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from batchcomp.errors import UsageError
from batchcomp.kinds import CODECS
from batchcomp.outputs import DEFAULT_OUTPUT, FORMATS
from batchcomp.places import Place, Url

DEFAULT_QUALITY = 55
MAX_EFFORT = 9
MAX_JOBS, MAX_BATCH = 1024, 65_536
MAX_WAIT = 1_000_000_000  # seconds; no system waits for much more
MAX_LOAD = 1_000_000_000
LEAST_PARITY = 0.001
NO_MEASURE, QUICK, EXACT, EYE = "none", "quick", "exact", "ssimulacra2"
MEASURES = {  # how a picture is compared with its original and with JPEG
    QUICK: "MS-SSIM exactly, JPEG beside it from few files",
    EXACT: "JPEG from as many files as it takes, too",
    EYE: "as quick, and SSIMULACRA2",
    NO_MEASURE: "not at all: then nothing tells where JPEG is better",
}


def available_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Ceilings for one picture, so that no file, however hostile, takes a run down.

    All but the last two are checked before pixels are decoded. Those two hold for a process that decodes: beyond them
    it is stopped, and only the picture in hand fails. 6 GB is what a JPEG of 500 megapixels needs.
    """

    max_pixels: int = 500_000_000
    max_bytes: int = 2_000_000_000  # of the file
    max_side: int = 131_000  # pixels; half of it is the largest side of a JPEG
    max_metadata_bytes: int = 32_000_000  # EXIF, ICC, XMP, texts and the like together
    max_seconds: float = 120  # of computing, and five times as many by the clock
    max_memory: int = 6_000_000_000  # bytes of address space

    def __post_init__(self) -> None:
        """Raise UsageError where a ceiling is no positive number, or more than a system can be told."""
        for name, value in vars(self).items():
            if not 0 < value <= MOST_LIMITS[name]:
                raise UsageError(
                    f"{name.replace('_', ' ')} {value}: expected a number above 0, up to {MOST_LIMITS[name]}"
                )


MOST_LIMITS = {
    "max_pixels": 10**12,
    "max_bytes": 10**15,
    "max_side": 10**9,
    "max_metadata_bytes": 10**12,
    "max_seconds": 10**5,  # sockets wait for at most 2**31 milliseconds
    "max_memory": 10**15,
}
DEFAULT_LIMITS = Limits()


def _has_avif() -> bool:
    from PIL import features  # noqa: PLC0415  (only where it is asked for: it costs time)

    return bool(features.check("avif"))


TARGETS = {  # what a picture can be asked to meet, with the least and the most it can be
    "match-jpeg": (
        1,
        100,
    ),  # Pillow's quality, 4:2:0: the MS-SSIM of that file of the same picture, in the fewest bytes
    "match-jpeg-bytes": (1, 100),  # likewise: at most that file's bytes, and a higher MS-SSIM
    "target-ms-ssim": (0.01, 0.9999),  # the fewest bytes that reach it
    "target-ssimulacra2": (1, 99),  # likewise
    "max-bpp": (0.001, 100),  # bits per pixel of the picture: the best within
    "max-bytes": (1, 2**32 - 2),  # the best within
}


MEASURING = {"match-jpeg", "match-jpeg-bytes", "target-ms-ssim", "target-ssimulacra2"}  # pictures are measured for them


def shown_number(value: float) -> str:
    """Return a number of at most six digits, also where a whole number is too large for a float."""
    try:
        return f"{value:g}"
    except OverflowError:
        return "more than 1e+308" if value > 0 else "less than -1e+308"


@dataclass(frozen=True, kw_only=True)
class Target:
    """What every picture is to meet, in place of one quality for all; `kind` is a key of `TARGETS`."""

    kind: str
    value: float

    def __post_init__(self) -> None:
        """Raise UsageError where the value makes no sense."""
        least, most = TARGETS[self.kind]
        if not least <= self.value <= most:
            raise UsageError(f"--{self.kind} {shown_number(self.value)}: expected {least:g} to {most:g}")

    def __str__(self) -> str:
        """As on the command line, without dashes."""
        return f"{self.kind} {self.value:.12g}"


def _check_machine(jobs: int, batch_size: int | None) -> None:
    """Raise UsageError for more workers or tiles than a machine can be asked for, or less than one."""
    if not 0 <= jobs <= MAX_JOBS:
        raise UsageError(f"jobs {jobs}: expected a whole number from 1 to {MAX_JOBS}, or 0 for one a core")
    if batch_size is not None and not 1 <= batch_size <= MAX_BATCH:
        raise UsageError(f"batch size {batch_size}: expected a whole number from 1 to {MAX_BATCH}")


@dataclass(frozen=True, kw_only=True)
class CompressSettings:
    """One `compress` run. `batch_size` None means: chosen from the device."""

    paths: tuple[Place, ...]  # folders and files, or one address
    archive: Place
    quality: int = DEFAULT_QUALITY
    device: str = "auto"
    jobs: int = 0  # 0: as many as there are cores
    batch_size: int | None = None
    model: Path | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    measure: str = QUICK  # a key of MEASURES
    target: Target | None = None
    codec: str = "jpeg"  # what holds the compact pictures
    pack: bool = False
    effort: int = 0  # 0 to 9: how long coefficients are refined behind RecCNN
    verbatim: tuple[str, ...] = ()  # globs: files that are no sound pictures and yet are carried along
    follow_symlinks: bool = False
    isolate: bool = True  # decode in processes of their own, with limits of time and memory
    limits: Limits = DEFAULT_LIMITS
    max_load: float | None = None  # load average above which no further files are taken
    checksum: bool = False  # tell changed files by their content, not by size and time
    recompress: bool = False  # take what is unchanged but stored with other settings too
    retry: bool = False  # try again what failed before and did not change
    lock_wait: float = 0  # seconds
    segment_bytes: int = 256 * 2**20  # a segment is committed once it is that large,
    segment_seconds: float = 600  # or that old
    parity: float | None = None  # recovery data for each byte, 0 to 1; None: as the archive has it

    def __post_init__(self) -> None:
        """Raise UsageError where a value is out of range."""
        if not self.paths:
            raise UsageError("no PATH: name a folder of photos or some photos")
        self._check_addresses()
        if not 1 <= self.quality <= 100:
            raise UsageError(f"quality {self.quality}: expected 1 to 100")
        _check_machine(self.jobs, self.batch_size)
        if self.target and self.target.kind in MEASURING and not self.measured:
            raise UsageError(f"--{self.target.kind} has to measure: leave --no-measure out")
        if self.measure not in MEASURES:
            raise UsageError(f"--measure {self.measure}: expected one of {', '.join(MEASURES)}")
        self._check_codec()
        if self.parity is not None and not (self.parity == 0 or LEAST_PARITY <= self.parity <= 1):
            raise UsageError(f"parity {self.parity:.4%}: expected 0%, or {LEAST_PARITY:.1%} to 100%")
        if not 0 <= self.lock_wait <= MAX_WAIT:
            raise UsageError(f"lock wait {self.lock_wait}: expected a number of seconds from 0 to {MAX_WAIT}")
        if self.max_load is not None and not 0 < self.max_load <= MAX_LOAD:
            raise UsageError(f"max load {self.max_load}: expected a number above 0, up to {MAX_LOAD}")
        if self.max_load is not None and not hasattr(os, "getloadavg"):
            raise UsageError("--max-load: this system has no load average; leave it out")

    def _check_addresses(self) -> None:
        """Raise UsageError where sources in an object store come with what they cannot have."""
        remote = [path for path in self.paths if isinstance(path, Url)]
        if remote and len(self.paths) > 1:
            raise UsageError(f"{remote[0]}: an address must be the only PATH; compress the others by themselves")
        if remote and self.checksum:
            raise UsageError(f"{remote[0]}: --checksum would download every picture; leave it out, or copy them here")

    def _check_codec(self) -> None:
        """Raise UsageError where the inner codec is unknown, or cannot do what is asked for."""
        if self.codec not in CODECS:
            raise UsageError(f"codec {self.codec!r}: expected one of {', '.join(CODECS)}")
        if self.pack and self.codec != "jpeg":
            raise UsageError(f"--pack with --codec {self.codec}: only JPEG payloads can be packed; leave one out")
        if not 0 <= self.effort <= MAX_EFFORT:
            raise UsageError(f"effort {self.effort}: expected 0 to {MAX_EFFORT}")
        if self.effort and self.codec != "jpeg":
            raise UsageError(f"--effort with --codec {self.codec}: only JPEG payloads can be refined; leave one out")
        if self.codec == "avif" and not _has_avif():
            raise UsageError("--codec avif: this build of PIL lacks AVIF; install pillow, or leave it out")

    @property
    def measured(self) -> bool:
        """Whether pictures are restored and compared at all."""
        return self.measure != NO_MEASURE

    @property
    def recipe(self) -> str:
        """What is asked for beside a quality, as manifests note it: "" for plain JPEG payloads of one quality."""
        own = [str(self.target)] if self.target else []
        own += [self.codec] if self.codec != "jpeg" else []
        own += [f"effort {self.effort}"] if self.effort else []
        return ", ".join(own + ["packed"] * self.pack)

    @property
    def workers(self) -> int:
        return self.jobs or available_cores()


@dataclass(frozen=True, kw_only=True)
class DecodeSettings:
    """One `decode` run."""

    source: Place
    out: Path
    patterns: tuple[str, ...] = ()
    format: str = DEFAULT_OUTPUT
    force: bool = False
    device: str = "auto"
    jobs: int = 0
    batch_size: int | None = None
    model: Path | None = None
    version: int | None = None  # of each picture: 1 is the oldest that the archive holds, -1 the newest
    at: datetime | None = None  # with a time zone: what the archive held then

    def __post_init__(self) -> None:
        """Raise UsageError where a value is out of range."""
        if self.version == 0:
            raise UsageError("--version 0: expected 1 (the oldest) and up, or -1 (the newest) and down")
        if self.version is not None and self.at is not None:
            raise UsageError("--version and --at: choose one of them")
        if self.format not in FORMATS:
            raise UsageError(f"format {self.format!r}: expected one of {', '.join(FORMATS)}")
        _check_machine(self.jobs, self.batch_size)

    @property
    def workers(self) -> int:
        return self.jobs or available_cores()


def default_archive(paths: tuple[Place, ...]) -> Place:
    """`<folder>.bca` beside the one folder or file given.

    Raises:
        UsageError: several paths were given, so that the name is a guess; or none.
    """
    if not paths:
        raise UsageError("no PATH: name a folder of photos or some photos")
    if len(paths) != 1:
        raise UsageError(f"{len(paths)} paths were given: name the archive with -o ARCHIVE")
    path = paths[0].resolve()
    return path.with_name(f"{path.name or 'root'}.bca")


EXECUTORS = {  # what spreads the work of one command: `module:Class`, an `Executor` of pipeline/executors/base.py
    "local": "batchcomp.pipeline.executors.local:LocalExecutor",
    "dask": "batchcomp.pipeline.executors.dask:DaskExecutor",
}

FILE_SUFFIXES = {".zip", ".tar", ".tgz", ".gz", ".7z", ".rar", ".jpg", ".jpeg", ".png"}


def check_archive_name(archive: Place) -> None:
    """See to it that nobody takes an archive, which is a folder, for a file.

    Raises:
        UsageError: its name is that of a file.
    """
    if archive.suffix.lower() in FILE_SUFFIXES and not (isinstance(archive, Path) and archive.is_dir()):
        raise UsageError(f"{archive}: an archive is a folder of ZIP files; name it {archive.stem}.bca")
