"""One writer per archive in an object store: an object with a term, which its holder renews while it lives.

All is decided by conditional puts of that one object. When a term has run out is told by the store's clock, never by
this machine's: the times that are compared are both those at which the store took an object.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from batchcomp.archive.store.base import Identity, StaleError
from batchcomp.archive.store.bucket import BehindEndError
from batchcomp.archive.store.conditional import one_writer
from batchcomp.errors import ArchiveLockedError

if TYPE_CHECKING:
    from batchcomp.archive.store.bucket import Bucket, Stored

LEASE_NAME: Final = ".lease"
SECONDS: Final = 60.0  # the term
_GRACE: Final = 2.0  # seconds: stores tell times in whole ones
_POLL, _LONGEST_POLL = 1.0, 10.0  # seconds between two looks at a lease that another one holds: doubled each time
_MOST_BYTES: Final = 4096


def clock() -> float:
    """Seconds that go on while the process is stopped or the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Lease:
    """The lock on an archive in a bucket; see `Lock`.

    Args:
        bucket: the archive's.
        hold: told of this lease when it is taken, and None when it is given back: who writes asks it by `check`.
    """

    def __init__(self, bucket: Bucket, hold: Callable[[Lease | None], None]) -> None:
        self._bucket, self._hold, self._seconds = bucket, hold, SECONDS
        self._body: dict[str, Any] = {}
        self._identity: Identity | None = None
        self._renewed_at = 0.0
        self._lost = False
        self._mutex = threading.RLock()
        self._stop = threading.Event()

    def acquire(self, wait: float) -> None:
        """Take the lease, at once where it is free or has run out."""
        until = clock() + max(wait, 0)
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        own = {"host": platform.node(), "pid": os.getpid(), "since": since}
        self._body = {**own, "seconds": self._seconds, "token": secrets.token_hex(16), "renewed": 0}
        pause = _POLL
        while not self._take():
            if clock() >= until:
                raise ArchiveLockedError(
                    f"{self._bucket.url}: {self._holder()} is writing to this archive; "
                    "run again when it is done, or wait for it with --lock-wait SECONDS"
                )
            self._bucket.sleep(min(pause, max(0.0, until - clock())))
            pause = min(2 * pause, _LONGEST_POLL)
        self._lost = False
        self._stop = threading.Event()
        threading.Thread(target=self._keep, args=(self._stop,), name="lease", daemon=True).start()
        self._hold(self)

    def check(self) -> None:
        """Make sure that it is still held, right before something is changed.

        Raises:
            ArchiveLockedError: another process has taken it over.
            OSError: the store cannot be asked.
        """
        with self._mutex:
            if not self._lost and clock() - self._renewed_at > self._seconds / 2:
                self._renew()
            if self._lost:
                raise ArchiveLockedError(
                    f"{self._bucket.url}: this run was away for longer than its lease of {self._seconds:g} s, and "
                    f"another one has taken over; what was committed before is kept; run again when that one is done"
                )

    def release(self) -> None:
        """Mark it free; where that fails it runs out by itself."""
        self._stop.set()
        with self._mutex:
            identity, self._identity = self._identity, None
            self._hold(None)
            if identity is not None and not self._lost:
                with suppress(OSError):
                    self._put({**self._body, "seconds": 0}, identity)

    def remove(self) -> None:
        """Delete the object."""
        self._stop.set()
        with self._mutex:
            if self._identity is not None and not self._lost:
                self._bucket.delete(LEASE_NAME)
            self._identity = None
            self._hold(None)

    def exists(self) -> bool:
        """Tell whether there is a lease that has not been given back."""
        try:
            found, holder = self._read()
        except FileNotFoundError:
            return False
        return not self._is_over(found, holder)

    def _take(self) -> bool:
        """Try once."""
        began = clock()
        try:
            found, holder = self._read()
        except FileNotFoundError:
            identity = None
        else:
            if not self._is_over(found, holder):
                return False
            identity = found.identity
        try:
            self._identity = self._put(self._body, identity)
        except (FileExistsError, StaleError):
            return False  # another one was quicker
        self._renewed_at = began
        return True

    def _put(self, body: dict[str, Any], identity: Identity | None) -> Identity:
        data = json.dumps(body).encode()
        try:
            if one_writer():
                return self._bucket.put(LEASE_NAME, data)
            return self._bucket.put(LEASE_NAME, data, new=identity is None, identity=identity)
        except (FileExistsError, StaleError):  # perhaps by a try of ours whose answer was lost: no body comes twice
            found, holder = self._read()
            if holder != body:
                raise
            return found.identity

    def _read(self) -> tuple[Stored, dict[str, Any]]:
        try:
            data, found = self._bucket.get(LEASE_NAME, 0, _MOST_BYTES)
        except BehindEndError:  # it is empty
            data, found = b"", self._bucket.head(LEASE_NAME)
        try:
            holder = json.loads(data)
        except (ValueError, RecursionError):
            holder = {}
        return found, holder if isinstance(holder, dict) else {}

    def _is_over(self, found: Stored, holder: dict[str, Any]) -> bool:
        """Tell whether the term has run out, by the store's clock."""
        term = holder.get("seconds")
        if term == 0:
            return True
        seconds = term if isinstance(term, int | float) and 0 < term < 86400 else SECONDS
        try:
            return (self._store_time() - found.modified).total_seconds() > seconds + _GRACE
        except FileNotFoundError:  # its holder cleans up
            return False

    def _store_time(self) -> datetime:
        """Return what time it is by the store's clock: when it takes a small object."""
        name = f".probe-{secrets.token_hex(8)}"
        try:
            self._bucket.put(name, b"")
            return self._bucket.head(name).modified
        finally:
            with suppress(OSError):
                self._bucket.delete(name)

    def _keep(self, stop: threading.Event) -> None:
        """Renew the lease in the background, until it is given back or lost."""
        while not stop.wait(self._seconds / 3):
            with self._mutex:
                if stop.is_set() or self._lost:
                    return
                with suppress(OSError):  # tried again soon, and by `check`
                    self._renew()

    def _renew(self) -> None:
        began = clock()
        body = {**self._body, "renewed": self._body["renewed"] + 1}  # else the ETag would be the same
        try:
            self._identity = self._put(body, self._identity)
        except (FileExistsError, FileNotFoundError, StaleError):
            self._lost = True
            return
        self._body, self._renewed_at = body, began

    def _holder(self) -> str:
        try:
            _, holder = self._read()
            pid, host, since = int(holder["pid"]), str(holder["host"]), str(holder["since"])
        except (OSError, ValueError, TypeError, KeyError):
            return "another process"
        return f"process {pid} on {host[:100]!r} (since {since[:100]!r})".replace("'", "")
