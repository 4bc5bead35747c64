"""A Dask cluster: `dask scheduler`, and on each machine `dask worker tcp://... --nworkers CORES --nthreads 1`.

Workers keep the model from one task to the next. Each has a task in hand and one waiting; a worker that is lost costs
the tasks that it had, which others then do. Progress, and all that is said, is the parent's alone.
"""

from __future__ import annotations

import logging
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from dask import config
from distributed import Client, Future, KilledWorker, Worker, WorkerPlugin, as_completed

from batchcomp import __version__
from batchcomp.errors import ClusterError, UsageError
from batchcomp.memory import give_back_freed
from batchcomp.pipeline.executors.base import Lost

IN_FLIGHT: Final = 2  # tasks a thread of a worker: one in hand, one waiting
TRIES: Final = 4  # of a task after each of which so many workers ended as the scheduler allows (four, unless told)
WAIT: Final = 30.0  # seconds for a scheduler, and for a first worker
GONE: Final = 300.0  # seconds without any worker after which none is expected back
_LOOK: Final = 0.05  # seconds from one look for an answer to the next
# Health checks of the event loop 50 times a second would take a hundredth of a core, here as in each worker.
_QUIET: Final = {"distributed.admin.tick.interval": "1s"}

T = TypeVar("T")
R = TypeVar("R")


class WorkerProcess(WorkerPlugin):  # type: ignore[misc]  # the package is looked at by no checker
    """What a worker's process is told, if it has a nanny: else it is somebody's own, such as that of a notebook."""

    name = "batchcomp"
    idempotent = True

    def setup(self, worker: Worker) -> None:
        """Ignore SIGINT, and keep freed memory as our own commands do.

        Ctrl-C in the terminal that started everything is the parent's affair; the nanny still obeys it. And nannies
        have the heap cut whenever 64 KiB of it are free, which costs pictures a fifth of their computing time.
        """
        if worker.nanny:
            give_back_freed(worker.state.nthreads)
            with suppress(ValueError):  # not the main thread: then its signals are not ours
                signal.signal(signal.SIGINT, signal.SIG_IGN)


@dataclass(frozen=True)
class _Try(Generic[T]):
    """An item under way, and which of its tries this is, from 1 on."""

    item: T
    number: int


def _first(items: Iterator[T]) -> _Try[T] | None:
    """Return the first try of the next item, None where there is none left."""
    return next((_Try(item, 1) for item in items), None)


class DaskExecutor:
    """See `Executor`."""

    def __init__(self, scheduler: str = "") -> None:
        if not scheduler:
            raise UsageError("--engine dask: name its scheduler, such as --scheduler tcp://10.0.0.1:8786")
        self._address = scheduler
        self._client: Client | None = None

    def __enter__(self) -> Self:
        """See `Executor`."""
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what is wrong is told in one line, below
        try:
            with config.set(_QUIET):
                self._client = Client(self._address, timeout=WAIT, set_as_default=False)
        except (OSError, TimeoutError, ValueError, ImportError) as error:
            reason = f"no scheduler answers ({type(error).__name__}); start one with `dask scheduler`"
            raise UsageError(f"{self._address}: {reason}, or correct --scheduler") from error
        try:
            self._client.wait_for_workers(1, timeout=WAIT)
            self._check_versions(self._client.run(_version, on_error="ignore"))  # one may end at this moment
            with suppress(OSError):  # the same; it gets the plugin when it is back
                self._client.register_plugin(WorkerProcess())
        except TimeoutError as error:
            self._client.close()
            raise UsageError(f"{self._address}: has no workers; start some with `dask worker`") from error
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            self._client.close()  # which lets go of all tasks that were not begun

    def run(self, task: Callable[[T], R], items: Iterable[T]) -> Generator[tuple[T, R | Lost]]:
        """See `Executor`."""
        fresh, again = iter(items), deque[_Try[T]]()
        tries: dict[Future, _Try[T]] = {}
        done = as_completed(loop=self._connected.loop)
        try:
            while True:
                while len(tries) < self._room() and (one := again.popleft() if again else _first(fresh)) is not None:
                    with self._reached():
                        future = self._connected.submit(_called, __version__, task, one.item, pure=False)
                        tries[future] = one
                        done.add(future)
                if not tries:
                    return
                with self._reached():
                    self._await(done)
                    future = next(done)
                one = tries.pop(future)
                answer = self._answer(future)
                if isinstance(answer, Lost) and one.number < TRIES:
                    again.append(_Try(one.item, one.number + 1))
                else:
                    yield one.item, answer
        finally:
            for future in tries:
                with suppress(Exception):  # the scheduler may be gone
                    future.cancel()

    @property
    def _connected(self) -> Client:
        if self._client is None:
            raise UsageError(f"{self._address}: is not connected")
        return self._client

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (OSError, CancelledError) as error:
            reason = f"the scheduler is gone ({type(error).__name__}); start it"
            raise ClusterError(f"{self._address}: {reason}, and go on with the job") from error

    def _await(self, done: as_completed) -> None:
        """Wait for an answer, as long as there are workers, or some may come back."""
        patience = self._patience()
        while not done.has_ready():
            time.sleep(_LOOK)
            next(patience)

    def _patience(self) -> Iterator[None]:
        """Be asked again and again by who waits.

        Raises:
            ClusterError: there has been no worker all the while, and for long.
        """
        seen = looked = time.monotonic()
        while True:
            yield
            now = time.monotonic()
            if now - looked < GONE / 60:
                continue
            looked = now
            if self._connected.nthreads():
                seen = now
            elif now - seen >= GONE:
                reason = f"has had no worker for {GONE:g} seconds; start some with `dask worker`"
                raise ClusterError(f"{self._address}: {reason}, and go on with the job")

    def _room(self) -> int:
        """How many tasks may be under way; at least two, as workers may be on their way back."""
        with self._reached():
            threads: dict[str, int] = self._connected.nthreads()
        return max(2, IN_FLIGHT * sum(threads.values()))

    def _answer(self, future: Future) -> Any:
        """Return the answer of a task that is done; where its worker was lost with it, once it was done again."""
        patience = self._patience()
        while True:
            try:
                return future.result(timeout=GONE / 60)
            except KilledWorker as error:
                return Lost(reason=f"every worker that tried it ended, the last at {error.last_worker.address}")
            except TimeoutError:
                if future.status == "error":  # it is the task's own
                    raise
                with self._reached():
                    next(patience)
            except CancelledError:
                with self._reached():
                    raise

    def _check_versions(self, found: dict[str, str]) -> None:
        for worker, version in found.items():
            if version != __version__:
                raise UsageError(
                    f"{worker}: has batchcomp {version}, this is {__version__}; install the same everywhere"
                )


def _version() -> str:
    return __version__


def _called(version: str, task: Callable[[T], R], item: T) -> R:
    """Run a task in a worker, which may have joined later than others and be of another version."""
    if version != __version__:
        raise UsageError(f"a worker has batchcomp {__version__}, the parent {version}; install the same everywhere")
    return task(item)
