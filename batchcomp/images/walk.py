"""From the PATHs of a command to the files to take, in a stable order and bounded memory."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from batchcomp.errors import UsageError
from batchcomp.escapes import file_path, stored_name
from batchcomp.images.ignore import IGNORE_NAME, IgnoreFileError, Ignoring
from batchcomp.images.links import Links, is_broken, leads_to_folder
from batchcomp.images.names import ARCHIVE_SUFFIX, is_apple_double, is_litter, is_temp, shown
from batchcomp.images.other_files import special_kind
from batchcomp.images.patterns import Matcher, compile_patterns
from batchcomp.places import Place, Url


@dataclass(frozen=True, slots=True)
class Item:
    """One file to take. `name` is its posix name in the archive (see `escapes`), `size` is in bytes.

    `path` is of a file of this machine. One in an object store has an `origin` instead, and `path` means nothing.
    """

    path: Path
    name: str
    size: int
    mtime_ns: int
    permissions: int
    origin: Url | None = None

    @property
    def where(self) -> Place:
        """Its path, or its address."""
        return self.path if self.origin is None else self.origin


@dataclass(frozen=True, slots=True)
class WalkFailure:
    """A folder or file that could not be taken; `reason` is one line with the next step."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class SkippedLink:
    """A symbolic link that was not followed; `name` is what it would be called in the archive."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class NoFile:
    """A pipe, socket or device in a folder; `kind` says which, `name` is what it would be called in the archive."""

    path: Path
    name: str
    kind: str


Found = Item | WalkFailure | SkippedLink | NoFile


@dataclass(frozen=True, slots=True)
class _Root:
    path: Path  # resolved
    name: str  # in the archive; "" for a single folder, whose files are named relative to it
    is_folder: bool


@dataclass(frozen=True, slots=True)
class _Filter:
    include: Matcher | None
    exclude: Matcher
    skip: frozenset[str]
    follow: bool = False  # symbolic links

    def takes(self, name: str) -> bool:
        return (self.include is None or self.include(name)) and not self.exclude(name)


@dataclass(frozen=True, slots=True)
class _Open:
    """A folder that is being walked: what is left in it, what its rules ignore, and whether a link led to it."""

    entries: Iterator[tuple[os.DirEntry[str], str] | WalkFailure]
    ignoring: Ignoring
    linked: bool = False


def walk(
    paths: Sequence[Path],
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    skip: Sequence[Path] = (),
    follow_symlinks: bool = False,
) -> Iterator[Found]:
    """Yield the regular files at and below `paths`, each folder's entries sorted by the bytes of their names.

    One folder: names are relative to it. One file: its own name. Several paths: below each one's own name.
    Symbolic links inside folders are not followed unless asked, and then each folder is entered through links at most
    once, so that links that form a circle end; those not followed are named. A path given by name is resolved. Archives
    (`*.bca` folders), our temporary files, what systems leave behind (`.DS_Store`, `Thumbs.db`, `._*`), what a
    `.batchcompignore` ignores (see `ignore`) and `skip` are left out. What is neither file nor folder is named, never
    opened. At most the entries of the open folders are held in memory.

    Args:
        paths: Files and folders.
        include: Globs (see `patterns`); a file must match one of them, if there are any.
        exclude: Globs; matching files and whole folders are left out.
        skip: Files and folders to leave out.
        follow_symlinks: Take what symbolic links inside folders point to, under the link's name.

    Raises:
        UsageError: At the call, for a path that is missing, no file or folder, or an archive, and for two that would
            get the same name.
    """
    chosen = _Filter(
        include=compile_patterns(include) if include else None,
        exclude=compile_patterns(exclude),
        skip=frozenset(str(path.resolve()) for path in skip),
        follow=follow_symlinks,
    )
    return _walk_roots(_roots(paths), chosen)


def locator(paths: Sequence[Path]) -> Callable[[str], Path | None]:
    """Return the way back: from a name in an archive to the file that `walk` found under it, None where there is none.

    Raises:
        UsageError: As `walk`.
    """
    roots = {root.name: root for root in _roots(paths)}

    def locate(name: str) -> Path | None:
        if "" in roots:
            return roots[""].path / file_path(name)
        first, _, rest = name.partition("/")
        root = roots.get(first)
        if root is None or root.is_folder != bool(rest):
            return None
        return root.path / file_path(rest) if rest else root.path

    return locate


def source_folders(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the folders among `paths` by how their pictures' names in an archive begin: "" or "NAME/".

    Raises:
        UsageError: As `walk`.
    """
    return {f"{root.name}/" if root.name else "": root.path for root in _roots(paths) if root.is_folder}


def _roots(paths: Sequence[Path]) -> list[_Root]:
    found = [_root(path) for path in dict.fromkeys(paths)]
    roots = list({root.path: root for root in reversed(found)}.values())[::-1]
    if len(roots) == 1 and roots[0].is_folder:
        return [_Root(roots[0].path, "", is_folder=True)]
    by_name: dict[str, _Root] = {}
    for root in roots:
        twin = by_name.setdefault(root.name, root)
        if twin is not root:
            raise UsageError(
                f"{shown(twin.path)} and {shown(root.path)} would both be named {shown(root.name)!r} in the archive; "
                "compress them separately or from their common parent folder",
            )
    return roots


def _root(path: Path) -> _Root:
    try:
        resolved = path.resolve(strict=True)
        mode = resolved.stat().st_mode
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: a loop of links, ValueError: a NUL
        raise UsageError(f"{shown(path)}: {_why(error)}; check the path") from error
    is_folder = stat.S_ISDIR(mode)
    if not (is_folder or stat.S_ISREG(mode)):
        raise UsageError(f"{shown(path)}: neither a file nor a folder; give a picture or a folder of pictures")
    if is_folder and resolved.suffix == ARCHIVE_SUFFIX:
        raise UsageError(f"{shown(path)}: is an archive already; use `decode` or `list`, or name a folder of pictures")
    own_name = Path(os.path.abspath(path)).name  # noqa: PTH100 - keeps a link's name
    return _Root(resolved, stored_name(own_name or "root"), is_folder)


def _walk_roots(roots: list[_Root], chosen: _Filter) -> Iterator[Found]:
    for root in roots:
        if str(root.path) in chosen.skip:
            continue
        if root.is_folder:
            yield from _walk_folder(root, chosen)
        elif chosen.takes(root.name):
            yield from _file(str(root.path), root.name, None)


def _walk_folder(root: _Root, chosen: _Filter) -> Iterator[Found]:
    """Descend with an explicit stack: a hostile depth of folders must not exhaust Python's."""
    links = Links(root.path)
    prefix = f"{root.name}/" if root.name else ""
    stack = [_opened(str(root.path), prefix, Ignoring())]
    while stack:
        here = stack[-1]
        found = next(here.entries, None)
        if found is None:
            stack.pop()
        elif isinstance(found, WalkFailure):
            yield found
        elif leads_to_folder(found[0], follow=chosen.follow):
            linked = here.linked or (chosen.follow and found[0].is_symlink())
            if not _pruned(*found, chosen, here.ignoring) and not (linked and links.blocks(found[0])):
                stack.append(_opened(found[0].path, f"{found[1]}/", here.ignoring, linked=linked))
        else:
            yield from _other(*found, chosen, here.ignoring)


def _opened(path: str, prefix: str, ignoring: Ignoring, *, linked: bool = False) -> _Open:
    """Open a folder; where its rules cannot be followed that comes first, and it is walked without them."""
    entries = _entries(path, prefix)
    try:
        ignoring = ignoring.below(path, prefix)
    except IgnoreFileError as error:
        return _Open(chain([WalkFailure(Path(path, IGNORE_NAME), str(error))], entries), ignoring, linked=linked)
    return _Open(entries, ignoring, linked=linked)


def _other(entry: os.DirEntry[str], name: str, chosen: _Filter, ignoring: Ignoring) -> Iterator[Found]:
    """Yield what is to be said of an entry that is no folder, if anything is."""
    if chosen.follow and is_broken(entry):
        if _wanted(entry, name, chosen, ignoring):
            yield WalkFailure(Path(entry.path), "broken link; remove it or exclude it")
    elif not chosen.follow and entry.is_symlink():
        if not entry.name.endswith(ARCHIVE_SUFFIX) and _wanted(entry, name, chosen, ignoring):
            yield SkippedLink(Path(entry.path), name)
    elif _wanted(entry, name, chosen, ignoring):
        yield from _file(entry.path, name, entry, follow=chosen.follow)


def _entries(folder: str, prefix: str) -> Iterator[tuple[os.DirEntry[str], str] | WalkFailure]:
    """Yield the entries of `folder` in order with their names in the archive, or why it cannot be read."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        yield WalkFailure(Path(folder), f"folder cannot be read: {_why(error)}; check its permissions or exclude it")
        return
    for entry in entries:
        yield entry, f"{prefix}{stored_name(entry.name)}"


def _pruned(entry: os.DirEntry[str], name: str, chosen: _Filter, ignoring: Ignoring) -> bool:
    if is_litter(entry.name, folder=True) or entry.name.endswith(ARCHIVE_SUFFIX) or entry.path in chosen.skip:
        return True
    return chosen.exclude(name) or ignoring.ignores(name, folder=True)


def _wanted(entry: os.DirEntry[str], name: str, chosen: _Filter, ignoring: Ignoring) -> bool:
    if is_temp(entry.name) or is_litter(entry.name) or entry.path in chosen.skip or not chosen.takes(name):
        return False
    ignored = entry.name == IGNORE_NAME or ignoring.ignores(name, folder=False)
    return not ignored and not is_apple_double(entry.path, entry.name)


def _file(
    path: str, name: str, entry: os.DirEntry[str] | None, *, follow: bool = False
) -> Iterator[Item | WalkFailure | NoFile]:
    try:
        status = os.stat(path) if entry is None else entry.stat(follow_symlinks=follow)  # noqa: PTH116 - path is a str
    except OSError as error:
        yield WalkFailure(Path(path), f"file cannot be read: {_why(error)}; run again")
        return
    if not stat.S_ISREG(status.st_mode):
        yield NoFile(Path(path), name, special_kind(status.st_mode))
        return
    yield Item(Path(path), name, status.st_size, status.st_mtime_ns, stat.S_IMODE(status.st_mode))


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
