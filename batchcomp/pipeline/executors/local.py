"""This process, one task after the other: each uses all the cores that it was given."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from types import TracebackType
from typing import Self, TypeVar

from batchcomp.errors import UsageError
from batchcomp.pipeline.executors.base import Lost

T = TypeVar("T")
R = TypeVar("R")


class LocalExecutor:
    """See `Executor`."""

    def __init__(self, scheduler: str = "") -> None:
        if scheduler:
            raise UsageError(f"--scheduler {scheduler}: the local engine has none; add --engine dask, or leave it out")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def run(self, task: Callable[[T], R], items: Iterable[T]) -> Generator[tuple[T, R | Lost]]:
        """See `Executor`."""
        for item in items:
            yield item, task(item)
