"""Writes an archive: pictures one at a time, segments that appear whole or not at all. See docs/format.md."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from batchcomp.archive import durable, parity, segments
from batchcomp.archive.adding import add_row, add_shared_row
from batchcomp.archive.damage import Damage
from batchcomp.archive.growing import GrowingSegment, utc_now
from batchcomp.archive.lock import clean_up
from batchcomp.archive.promised import last_promised
from batchcomp.archive.rows import Row
from batchcomp.archive.segment import check_version
from batchcomp.archive.segments import parity_name
from batchcomp.archive.store import Location, store_of
from batchcomp.errors import ArchiveError
from batchcomp.interrupts import held


class ArchiveWriter:
    """The one writer of the archive in a folder or at an address, as a context manager that holds the lock.

    A segment is committed once it has `segment_bytes` bytes or is `segment_seconds` old (looked at whenever a picture
    is added and by `commit_if_due`), and when the context ends, by an exception too: an interrupted run keeps what it
    has done.
    `lock_wait` is in seconds. `parity` is the recovery data for each byte, 0 to 1; None: as the archive has it.
    Not for use by several threads at a time.
    """

    def __init__(  # noqa: PLR0913  # settings of one run, all by keyword
        self,
        where: Location,
        *,
        segment_bytes: int = 256 * 2**20,
        segment_seconds: float = 600,
        lock_wait: float = 0,
        parity: float | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store_of(where)
        self._asked, self._share = parity, 0.0
        self._segment_bytes, self._segment_seconds = segment_bytes, segment_seconds
        self._lock_wait, self._now = lock_wait, now
        self._lock = self._store.lock()
        self._open: GrowingSegment | None = None
        self._opened_at = 0.0
        self._last = 0  # number that was committed
        self._made = False
        self._beside: dict[str, bytes] = {}

    def __enter__(self) -> Self:
        """Create the folder if there is none, take the lock, clean up after a dead writer.

        Raises:
            ArchiveLockedError: another process writes to the archive.
            ArchiveError: the folder is not an archive, is of a newer version, or cannot be written to.
        """
        with durable.reported(self._store):
            self._made = self._make()
            self._lock.acquire(self._lock_wait)
            try:
                self._prepare()
            except BaseException:
                self._close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.commit()
        except ArchiveError as failure:
            if error is None:
                raise
            error.add_note(f"the open segment is lost: {failure}" if self._open else str(failure))
        finally:
            self._close()

    def add(self, row: Row, payload: bytes) -> Row:
        """Write one picture to the open segment and return its row, completed; memory does not grow by the payload.

        A row of the same path in the archive is superseded.

        Raises:
            PictureError: the name or another field is not allowed in an archive; nothing was written.
            ArchiveError: the disk refuses. The pictures added before are still complete.
        """
        segment = self._segment()
        with durable.reported(self._store):
            done = add_row(segment, row, payload)
        self.commit_if_due()
        return done

    def add_shared(self, row: Row, owner: Row) -> Row:
        """Add a row whose content is that of `owner`, a row that is stored already; no payload is written.

        `row` gives path, mtime and permissions; all else is `owner`'s.

        Raises:
            PictureError: the name or another field is not allowed in an archive; nothing was written.
            ArchiveError: the disk refuses.
        """
        done = add_shared_row(self._segment(), row, owner)
        self.commit_if_due()
        return done

    def put(self, name: str, data: bytes, *, alone: bool = False) -> None:
        """Replace a small file beside the segments; it waits for the first segment unless it may stand `alone`.

        Raises:
            ArchiveError: the disk refuses.
        """
        self._beside[name] = data
        with durable.reported(self._store.shown(name)):
            if alone or segments.segment_numbers(self._store):
                self._write_beside()

    def _write_beside(self) -> None:
        for name in list(self._beside):
            self._store.replace(name, self._beside[name])
            del self._beside[name]

    def commit_if_due(self) -> None:
        """Commit the open segment if it is large or old enough; cheap enough to be called at every step.

        Raises:
            ArchiveError: the disk refuses; what was committed before is untouched.
        """
        if self._open and self._is_due(self._open):
            self.commit()

    def commit(self) -> None:
        """Close the open segment so that it survives a power failure; nothing happens if it has no pictures.

        Raises:
            ArchiveError: the disk refuses; what was committed before is untouched.
        """
        if self._open is None:
            return
        with held():  # an interrupted run commits what it has, and that cannot be interrupted again
            with durable.reported(self._store):
                if self._open.size:
                    self._open.finish(self._now())
                    self._last = self._open.number
                else:
                    self._open.discard()
            number, self._open = (self._open.number if self._open.size else 0), None
            with durable.reported(self._store):
                if self._beside and segments.segment_numbers(self._store):
                    self._write_beside()
        if number:
            with durable.reported(self._store.shown(parity_name(number))):
                parity.write(self._store, number, self._share)

    def catch_up(self) -> Iterator[Damage]:
        """Write the recovery data that committed segments lack; yield the damage that keeps one from getting it.

        Raises:
            ArchiveError: the disk refuses.
        """
        return parity.catch_up(self._store, self._share)

    def last_number(self) -> int:
        """Return the highest number that a segment has or an open job keeps for itself. Raises OSError."""
        return max([self._last, last_promised(self._store), *segments.segment_numbers(self._store)[-1:]])

    def _segment(self) -> GrowingSegment:
        if self._open and self._open.sealed:  # an earlier commit failed; it comes first
            self.commit()
        return self._open or self._start_segment()

    def _start_segment(self) -> GrowingSegment:
        with durable.reported(self._store):
            last = self.last_number()
            self._open = GrowingSegment(self._store, segments.free_number(self._store, last), after=last)
        self._opened_at = time.monotonic()
        return self._open

    def _is_due(self, segment: GrowingSegment) -> bool:
        old = time.monotonic() - self._opened_at >= self._segment_seconds
        return old or segment.full or segment.size >= self._segment_bytes

    def _make(self) -> bool:
        try:
            made = self._store.create()
        except NotADirectoryError as error:
            place = self._store.place
            itself = not isinstance(place, Path) or place.exists()
            what = "is a file, not an archive" if itself else "a file is where a folder is needed"
            raise ArchiveError(f"{self._store}: {what}; choose another name with -o") from error
        if segments.is_foreign(self._store):
            raise ArchiveError(f"{self._store}: holds files but no archive; choose another folder with -o")
        return made

    def _prepare(self) -> None:
        clean_up(self._store)
        for number in segments.segment_numbers(self._store)[-1:]:
            check_version(self._store, number)
        self._share = parity.share_for(self._store, self._asked)

    def _close(self) -> None:
        with suppress(OSError):
            if self._open is not None:
                self._open.discard()
        self._open = None
        with suppress(OSError):
            if self._made and not segments.segment_numbers(self._store):
                self._lock.remove()
        self._lock.release()
        with suppress(OSError):
            if self._made:
                self._store.remove_empty()
