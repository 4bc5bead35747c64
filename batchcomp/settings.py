"""Frozen settings, validated once, where the user's words enter."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from batchcomp.errors import UsageError

DEFAULT_QUALITY = 55
FORMATS = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}


def available_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, kw_only=True)
class CompressSettings:
    """One `compress` run. `batch_size` None means: chosen from the device."""

    paths: tuple[Path, ...]
    archive: Path
    quality: int = DEFAULT_QUALITY
    device: str = "auto"
    jobs: int = 0  # 0: as many as there are cores
    batch_size: int | None = None
    model: Path | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    measure: bool = True

    def __post_init__(self) -> None:
        """Raise UsageError where a value is out of range."""
        if not self.paths:
            raise UsageError("no PATH: name a folder of photos or some photos")
        if not 1 <= self.quality <= 100:
            raise UsageError(f"quality {self.quality}: expected 1 to 100")
        if self.jobs < 0 or (self.batch_size is not None and self.batch_size < 1):
            raise UsageError(f"jobs {self.jobs}, batch size {self.batch_size}: expected whole numbers from 1 on")

    @property
    def workers(self) -> int:
        return self.jobs or available_cores()


@dataclass(frozen=True, kw_only=True)
class DecodeSettings:
    """One `decode` run."""

    source: Path
    out: Path
    patterns: tuple[str, ...] = ()
    format: str = "png"
    force: bool = False
    device: str = "auto"
    jobs: int = 0
    batch_size: int | None = None
    model: Path | None = None

    def __post_init__(self) -> None:
        """Raise UsageError where a value is out of range."""
        if self.format not in FORMATS:
            raise UsageError(f"format {self.format!r}: expected one of {', '.join(FORMATS)}")
        if self.jobs < 0:
            raise UsageError(f"jobs {self.jobs}: expected a whole number from 1 on")

    @property
    def workers(self) -> int:
        return self.jobs or available_cores()


def default_archive(paths: tuple[Path, ...]) -> Path:
    """`<folder>.bca` beside the one folder or file given.

    Raises:
        UsageError: several paths were given, so that the name is a guess.
    """
    if len(paths) != 1:
        raise UsageError(f"{len(paths)} paths were given: name the archive with -o ARCHIVE")
    path = paths[0].resolve()
    return path.with_name(f"{path.name or 'root'}.bca")
