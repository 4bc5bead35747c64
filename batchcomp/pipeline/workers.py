"""Who does the work of a stage on many records: this thread, or threads beside it.

joblib runs the threads: where a device computes batches, the JPEG files of a whole batch are encoded and measured at
once on all cores (docs/architecture.md). On a CPU each picture has a thread of its own already, and stages are serial.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Protocol, Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Workers(Protocol):
    """Applies a function to records."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Return the function's answers in the order of the items; the first error is raised."""
        ...


class Serial:
    """This thread, one record after the other: for stages that run in one of several threads already."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """See `Workers`."""
        return [function(item) for item in items]


class Threads:
    """A pool of threads, as a context manager."""

    def __init__(self, count: int) -> None:
        with warnings.catch_warnings():  # without /dev/shm it says that it has no processes; here it has threads
            warnings.simplefilter("ignore")
            from joblib import Parallel, delayed  # noqa: PLC0415  (a tenth of a second, and not needed on a CPU)

        self._pool, self._delayed = Parallel(n_jobs=count, prefer="threads"), delayed

    def __enter__(self) -> Self:
        self._pool.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.__exit__(*error)

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """See `Workers`."""
        answers: list[R] = self._pool(self._delayed(function)(item) for item in items)
        return answers
