"""Which archive is meant where none is named. The one last written is remembered in the user's state folder."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_state_path

from batchcomp.archive.durable import atomic_write
from batchcomp.archive.segments import segment_numbers
from batchcomp.cli import console, session
from batchcomp.errors import ArchiveError, ArchiveNotFoundError, UsageError
from batchcomp.images.names import ARCHIVE_SUFFIX
from batchcomp.places import Place, place


def _file() -> Path | None:
    """None for a user without a home, as services and containers have them."""
    try:
        return user_state_path("batchcomp", appauthor=False) / "last-archive"
    except (RuntimeError, KeyError):
        return None


def remember_archive(archive: Place) -> None:
    """Record the archive last written; a state folder that cannot be written is no reason to fail."""
    file = _file()
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, str(archive.resolve()).encode("utf-8", "surrogateescape"))
    except (OSError, ArchiveError):
        pass


def choose_archive(named: Place | None) -> Place:
    """The archive named, else that of the current folder, else the one last written; one that was not named is said.

    That of the current folder is: this folder itself, the only archive in it, or the one that `compress` makes of it
    or of a folder above it: `../NAME.bca`.

    Raises:
        ArchiveNotFoundError: none of these is there.
    """
    if named is not None:
        return named
    found = _of_current_folder()
    if len(found) == 1:
        return _said(found[0], "the archive of the current folder")
    last = _last()
    if last is not None and (not found or last.resolve() in {path.resolve() for path in found}):
        return _said(last, "the archive last written")
    here = f"{len(found)} are" if found else "none is"
    raise ArchiveNotFoundError(f"no archive was named, and {here} in the current folder; name one: NAME.bca")


def guessed_archive() -> Place | None:
    """As `choose_archive` where none is named, without a word; None where that would be an error."""
    found, last = _of_current_folder(), _last()
    if len(found) == 1:
        return found[0]
    known = last is not None and (not found or last.resolve() in {path.resolve() for path in found})
    return last if known else None


def named_archive(named: Place | None) -> Place:
    """The archive named, for commands that change an archive and so never guess.

    Raises:
        UsageError: none is named.
    """
    if named is not None:
        return named
    last = _last()
    hint = f"the one last written is {last}" if last else "NAME.bca"
    raise UsageError(f"no ARCHIVE: this command changes an archive and does not guess which; name it: {hint}")


def _said(archive: Place, what: str) -> Place:
    if not session.current().as_json:
        console.say(f"{archive}: {what}")
    return archive


def _of_current_folder() -> list[Path]:
    """The archives that the current folder stands for: more than one only where several lie in it."""
    try:
        here = Path.cwd()
        if segment_numbers(here):
            return [here]
        inside = sorted(path for path in here.glob(f"*{ARCHIVE_SUFFIX}") if path.is_dir())
        if inside:
            return [path.relative_to(here) for path in inside]
        beside = (folder.with_name(f"{folder.name}{ARCHIVE_SUFFIX}") for folder in (here, *here.parents) if folder.name)
        return [path for path in beside if path.is_dir()][:1]
    except OSError:  # the current folder is gone, or may not be looked into
        return []


def _last() -> Place | None:
    file = _file()
    try:
        last = file.read_bytes().decode("utf-8", "surrogateescape") if file else ""
    except OSError:
        return None
    try:
        found = place(last) if last else None
    except UsageError:
        return None
    return None if isinstance(found, Path) and not found.is_dir() else found
