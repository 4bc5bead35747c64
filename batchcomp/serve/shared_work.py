"""Work that requests ask for: done once for all who ask at a time, a few at once, and kept while there is room."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

CHUNK: Final = 1 << 18  # bytes that are read from the disk at once
IN_MEMORY: Final = 1 << 20  # bytes up to which a result stays in memory

Gone = Callable[[], Awaitable[bool]]  # whether who asked does not wait any more


class BusyError(Exception):
    """There is more to do than will be done soon."""


class AbandonedError(Exception):
    """Nobody waits for the result any more."""


class Result:
    """The bytes of one result and their media type.

    Large ones lie in a file without a name: who reads them slowly, or keeps many, takes disk and no memory.

    Raises:
        OSError: the folder for temporary files has no room.
    """

    def __init__(self, kind: str, data: bytes) -> None:
        self.kind, self.size = kind, len(data)
        self._data, self._file = data, None
        if len(data) > IN_MEMORY:
            self._turn = threading.Lock()
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it goes with this object
            weakref.finalize(self, self._file.close)
            self._file.write(data)
            self._data = b""

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes; several threads may do so at once."""
        if self._file is None:
            yield self._data
            return
        for start in range(0, self.size, CHUNK):
            with self._turn:
                self._file.seek(start)
                part = self._file.read(CHUNK)
            yield part


@dataclass(kw_only=True)
class _Job:
    task: asyncio.Task[Result] | None = None
    waiting: list[Gone] = field(default_factory=list)


class SharedWork:
    """Makes results in threads of its own. All but `close` is called in one event loop.

    Args:
        workers: pieces of work that are done at once.
        queue: pieces that may wait; with more, `get` raises BusyError.
        most_bytes: of the results that are kept; the one that was not asked for the longest goes first.
        most: results that are kept, each of which may hold a file open.
        name: of the threads.
    """

    def __init__(self, *, workers: int, queue: int, most_bytes: int, most: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._slots = asyncio.Semaphore(workers)
        self._most_jobs, self._most_bytes, self._most, self._bytes = workers + queue, most_bytes, most, 0
        self._kept: OrderedDict[str, Result] = OrderedDict()
        self._jobs: dict[str, _Job] = {}

    @property
    def kept_bytes(self) -> int:
        """Bytes of the results that are kept."""
        return self._bytes

    async def get(self, key: str, make: Callable[[], Result], gone: Gone) -> Result:
        """Return the result that `key` stands for, made by `make` where it is not there.

        Raises:
            BusyError: too much waits already.
            AbandonedError: all who asked for it are gone.
        """
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return known
        job = self._jobs.get(key)
        if job is None:
            if len(self._jobs) >= self._most_jobs:
                raise BusyError
            job = self._jobs[key] = _Job()
            job.task = asyncio.create_task(self._run(key, job, make))
            job.task.add_done_callback(_seen)
        job.waiting.append(gone)
        assert job.task is not None  # noqa: S101 - set just above, or by who asked first
        return await asyncio.shield(job.task)

    async def _run(self, key: str, job: _Job, make: Callable[[], Result]) -> Result:
        try:
            async with self._slots:
                if all([await gone() for gone in job.waiting]):
                    raise AbandonedError
                result = await asyncio.get_running_loop().run_in_executor(self._pool, make)
            self._keep(key, result)
            return result
        finally:
            del self._jobs[key]

    def _keep(self, key: str, result: Result) -> None:
        if result.size > self._most_bytes:
            return
        self._kept[key] = result
        self._bytes += result.size
        while self._bytes > self._most_bytes or len(self._kept) > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.size

    def close(self) -> None:
        """Begin nothing more; what is being made is waited for."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _seen(task: asyncio.Task[Result]) -> None:
    """Take note of an error that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
