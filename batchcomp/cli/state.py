"""What is remembered between commands: the archive last written, in the user's state folder."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_state_path

from batchcomp.archive.durable import atomic_write
from batchcomp.errors import ArchiveError, ArchiveNotFoundError


def _file() -> Path | None:
    """None for a user without a home, as services and containers have them."""
    try:
        return user_state_path("batchcomp", appauthor=False) / "last-archive"
    except (RuntimeError, KeyError):
        return None


def remember_archive(archive: Path) -> None:
    """Record the archive last written; a state folder that cannot be written is no reason to fail."""
    file = _file()
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, str(archive.resolve()).encode("utf-8", "surrogateescape"))
    except (OSError, ArchiveError):
        pass


def choose_archive(named: Path | None) -> Path:
    """The archive named, else the one last written, else the only one in the current folder.

    Raises:
        ArchiveNotFoundError: none of these is there.
    """
    if named is not None:
        return named
    last = _last()
    if last is not None:
        return last
    here = sorted(path for path in Path.cwd().glob("*.bca") if path.is_dir())
    if len(here) == 1:
        return here[0]
    found = "none is" if not here else f"{len(here)} are"
    raise ArchiveNotFoundError(f"no archive was named, and {found} in the current folder; name one: NAME.bca")


def _last() -> Path | None:
    file = _file()
    try:
        last = file.read_bytes().decode("utf-8", "surrogateescape") if file else ""
    except OSError:
        return None
    return Path(last) if last and Path(last).is_dir() else None
