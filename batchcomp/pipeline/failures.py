"""What failed in earlier runs and did not change: it is not told, and mostly not tried, night after night."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from batchcomp import __version__
from batchcomp.archive import ArchiveWriter
from batchcomp.archive.failures_file import Failure, failures_bytes, read_failures
from batchcomp.archive.segments import FAILURES_NAME
from batchcomp.images.names import shown
from batchcomp.images.provider import provider
from batchcomp.images.walk import Item, WalkFailure
from batchcomp.pipeline.originals import local
from batchcomp.pipeline.records import Done, Event, Failed, Passed
from batchcomp.places import Url
from batchcomp.settings import CompressSettings

Key = tuple[str, str]


class FailureMemory:
    """Holds the failures of one run against those that the archive remembers.

    A file is left alone where it failed before with the same size, time of change, limits and versions. One that could
    not be read is tried at every run, since permissions change neither size nor time; it is told once. A folder that
    cannot be read is told at every run: nobody knows what comes and goes in it.
    """

    def __init__(self, settings: CompressSettings) -> None:
        self._archive, self._retry = settings.archive, settings.retry
        self._roots = [path.resolve() for path in local(settings.paths)]
        self._addresses = [f"{path}/" for path in settings.paths if isinstance(path, Url)]
        self._conditions = conditions_of(settings)
        self._known: dict[Key, Failure] = {(one.path, one.source): one for one in read_failures(settings.archive)}
        self._now: dict[Key, Failure] = {}
        self._asked: dict[str, Item] = {}
        self._fine: set[Key] = set()  # of those that failed before

    def before(self, item: Item) -> Passed | None:
        """Return the event of a file that need not be tried; None for one that is to be, whose end is awaited then."""
        known = self._known.get(_key(item))
        if known and not self._retry and not known.again and _is_untouched(item, known, self._conditions):
            self._now[_key(item)] = known
            return Passed(name=item.name, reason=known.reason, failed_before=True)
        self._asked[item.name] = item
        return None

    def told(self, event: Event) -> Event:
        """Note a failure; return what is to be said of it, which is not much where it was told before."""
        item = self._asked.pop(event.name, None) if isinstance(event, Done | Passed | Failed) else None
        if item is not None and isinstance(event, Failed) and not event.damage:
            return self._noted(item, event)
        if item is not None and _key(item) in self._known:
            self._fine.add(_key(item))
        return event

    def walked(self, failure: WalkFailure) -> Event:
        """Return the event of a file or folder that the walk could not take."""
        event = Failed(name=str(failure.path), reason=f"{shown(failure.path)}: {failure.reason}", again=True)
        try:
            status = failure.path.lstat()
        except (OSError, ValueError):
            return event
        if stat.S_ISDIR(status.st_mode):
            return event
        item = Item(failure.path, str(failure.path), status.st_size, status.st_mtime_ns, stat.S_IMODE(status.st_mode))
        return self._noted(item, event)

    def settle(self, items: Iterable[Item], failures: Iterable[Failure]) -> None:
        """Note what became of files that others tried: these failed, the rest of the items did not."""
        failed = {(one.path, one.source): one for one in failures}
        self._fine |= {key for item in items if (key := _key(item)) in self._known and key not in failed}
        for key, one in failed.items():
            before = self._known.get(key)
            self._now[key] = replace(one, since=before.since) if before and before.is_same(one) else one

    @property
    def is_empty(self) -> bool:
        """Whether nothing failed before."""
        return not self._known

    def save(self, writer: ArchiveWriter, *, complete: bool) -> None:
        """Write what is remembered from now on into the archive, if that is something else than before.

        After a `complete` run, what it did not meet below its paths is forgotten: it is gone, or excluded.

        Raises:
            ArchiveError: the disk refuses.
        """
        unmet = {key: one for key, one in self._known.items() if key not in self._now and key not in self._fine}
        now = {key: one for key, one in unmet.items() if self._is_kept(one, complete=complete)} | self._now
        if now != self._known:
            writer.put(FAILURES_NAME, failures_bytes(now.values()), alone=bool(now))

    def _is_kept(self, one: Failure, *, complete: bool) -> bool:
        """Whether a failure that this run did not meet is still one."""
        if complete and any(one.source.startswith(address) for address in self._addresses):
            return False
        source = Path(one.source)
        if not complete or not any(source.is_relative_to(root) for root in self._roots):
            return True
        try:
            source.lstat()
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return False
        except OSError:  # in a folder that cannot be looked into now
            return True
        return False

    def _noted(self, item: Item, event: Failed) -> Event:
        if item.origin is None and not is_there(item.path):  # gone meanwhile: there is nothing to remember
            return event
        before, failure = self._known.get(_key(item)), failure_of(item, event, self._conditions)
        if before is None or not before.is_same(failure):
            self._now[_key(item)] = failure
            return event
        self._now[_key(item)] = replace(failure, since=before.since)
        return event if self._retry else Passed(name=event.name, reason=event.reason, failed_before=True)


def failure_of(item: Item, event: Failed, conditions: str) -> Failure:
    """Return what is remembered of a file that failed now; `conditions` are those of `conditions_of`."""
    return Failure(
        path=item.name,
        source=str(item.where),
        source_bytes=item.size,
        mtime_ns=item.mtime_ns,
        reason=event.reason,
        since=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        conditions=conditions,
        again=event.again,
    )


def conditions_of(settings: CompressSettings) -> str:
    """A short hash of all that decides beside the file itself whether it can be taken."""
    extras = tuple(find_spec(name) is not None for name in ("pillow_heif", "pillow_jxl", "rawpy"))
    facts = (settings.limits, settings.verbatim, __version__, str(provider()), extras)
    return sha256(repr(facts).encode()).hexdigest()[:16]


def _key(item: Item) -> Key:
    return item.name, str(item.where)


def _is_untouched(item: Item, known: Failure, conditions: str) -> bool:
    return (item.size, item.mtime_ns, conditions) == (known.source_bytes, known.mtime_ns, known.conditions)


def is_there(path: Path) -> bool:
    """Tell whether there is a file, as far as that can be told."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):
        return True
    return True
