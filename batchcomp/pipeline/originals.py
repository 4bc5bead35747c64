"""The files that a run takes, wherever they lie: below folders of this machine, or at an address."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from batchcomp.archive import durable
from batchcomp.archive.store.base import Identity, StaleError
from batchcomp.archive.store.bucket import Bucket, Stored
from batchcomp.archive.store.opening import bucket_of
from batchcomp.errors import PictureError, UsageError
from batchcomp.escapes import stored_path
from batchcomp.images.formats import SIGNATURE_BYTES
from batchcomp.images.load import Source, check_beginning, check_size
from batchcomp.images.names import ARCHIVE_SUFFIX, is_litter, is_temp, shown
from batchcomp.images.patterns import compile_patterns
from batchcomp.images.walk import Found, Item, source_folders, walk
from batchcomp.places import Place, Url
from batchcomp.settings import CompressSettings, Limits

PRIVATE: Final = 0o600  # of what comes from a bucket: who may read that is not known here
_PART: Final = 16 * 2**20  # bytes of one request


def walk_originals(settings: CompressSettings) -> Iterator[Found]:
    """Yield the files at and below the paths of a run; see `walk`, which tells the rules.

    Raises:
        UsageError: a path is missing, or makes no sense.
        ArchiveError: the object store refuses, or cannot be reached.
    """
    remote = [path for path in settings.paths if isinstance(path, Url)]
    if remote:
        return _walk_bucket(remote[0], _chosen(settings.include, settings.exclude))
    return walk(
        local(settings.paths),
        include=settings.include,
        exclude=settings.exclude,
        skip=local((settings.archive,)),
        follow_symlinks=settings.follow_symlinks,
    )


def local(paths: Sequence[Place]) -> tuple[Path, ...]:
    """Return those that lie on this machine."""
    return tuple(path for path in paths if isinstance(path, Path))


def folders_of(paths: Sequence[Place]) -> dict[str, Place]:
    """Return the folders and addresses among `paths` by how their pictures' names in an archive begin.

    Raises:
        UsageError: a path is missing.
    """
    remote = [path for path in paths if isinstance(path, Url)]
    return {"": remote[0]} if remote else dict(source_folders(local(paths)))


def read_original(item: Item, limits: Limits) -> Source:
    """Return the content of a file of an object store, read once and by its ETag.

    Raises:
        PictureError: it cannot be read, exceeds `limits`, or changed since it was listed.
    """
    origin = _origin(item)
    check_size(str(origin), item.size, limits)
    parts: list[bytes] = []
    try:
        bucket, identity = bucket_of(origin), None
        for start in range(0, item.size, _PART):
            data, found = bucket.get("", start, min(item.size, start + _PART), identity)
            identity = _same(item, found)
            parts.append(data)
    except (StaleError, FileNotFoundError) as error:
        raise PictureError(f"{shown(origin)}: changed or gone since it was listed; run again") from error
    except (OSError, MemoryError) as error:
        reason, advice = str(error) or "not enough memory", getattr(error, "advice", "run again")
        raise PictureError(f"{shown(origin)}: cannot be read ({reason}); {advice}") from error
    data = b"".join(parts)
    return Source(data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data), mtime_ns=item.mtime_ns)


def _same(item: Item, found: Stored) -> Identity:
    """Return the identity of what is read; StaleError where it is not what was listed."""
    if (found.size, _mtime_ns(found)) != (item.size, item.mtime_ns):
        raise StaleError(str(item.where))
    return found.identity


def check_original(item: Item) -> None:
    """Look at the beginning of a file of an object store; see `images.load.check_head`.

    Raises:
        NotAPictureError: it is none.
        PictureError: it cannot be read.
    """
    origin = _origin(item)

    def head() -> bytes:
        return bucket_of(origin).get("", 0, min(SIGNATURE_BYTES, item.size))[0] if item.size else b""

    try:
        check_beginning(str(origin), head)
    except OSError as error:
        advice = getattr(error, "advice", "run again")
        raise PictureError(f"{shown(origin)}: cannot be read ({error}); {advice}") from error


def _origin(item: Item) -> Url:
    if item.origin is None:
        raise ValueError(item)
    return item.origin


def _walk_bucket(url: Url, takes: Callable[[str], bool]) -> Iterator[Item]:
    bucket = bucket_of(url)
    objects = _listed(bucket)
    first = next(objects, None)
    if first is None:
        with durable.reported(url):
            first = _single(bucket)
    if first is None:
        raise UsageError(f"{url}: nothing lies there; check the address")
    return _items(url, first, objects, takes)


def _listed(bucket: Bucket) -> Iterator[Stored]:
    """Yield the objects in the order of the store."""
    with durable.reported(bucket.url):
        yield from bucket.walk()


def _single(bucket: Bucket) -> Stored | None:
    """Return the object that the address is of, if it is of one."""
    try:
        return bucket.head("") if bucket.url.prefix else None
    except FileNotFoundError:
        return None


def _items(url: Url, first: Stored, others: Iterator[Stored], takes: Callable[[str], bool]) -> Iterator[Item]:
    found: Stored | None = first
    while found is not None:
        name = stored_path(found.name or url.name)
        if takes(name):
            origin = Url(url.scheme, url.bucket, f"{url.prefix}/{found.name}".strip("/"))
            yield Item(Path(), name, found.size, _mtime_ns(found), PRIVATE, origin)
        found = next(others, None)


def _mtime_ns(found: Stored) -> int:
    """The time of change in whole seconds, which is all that every answer of a store tells."""
    return int(found.modified.timestamp()) * 10**9


def _chosen(include: Sequence[str], exclude: Sequence[str]) -> Callable[[str], bool]:
    """Return what tells of a name whether it is taken; of its folders each is judged once."""
    wanted, unwanted = compile_patterns(include or ("**",)), compile_patterns(exclude)

    @lru_cache(maxsize=4096)
    def enters(folder: str) -> bool:
        above, _, name = folder.rpartition("/")
        if not folder:
            return True
        return not (is_litter(name, folder=True) or name.endswith(ARCHIVE_SUFFIX) or unwanted(folder)) and enters(above)

    def takes(path: str) -> bool:
        folder, _, name = path.rpartition("/")
        if is_temp(name) or is_litter(name) or not enters(folder):
            return False
        return wanted(path) and not unwanted(path)

    return takes
