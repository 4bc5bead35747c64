"""What an executor is. A new one is one file here and one line in `settings.EXECUTORS`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Lost:
    """The answer of a task whose workers ended each time that it was tried; `reason` is one line."""

    reason: str


class Executor(Protocol):
    """Runs tasks somewhere, as a context manager.

    A task may be run several times, at once too, where workers are lost: it must leave the same each time. Tasks and
    answers are pickled: they are small, and functions of modules.
    """

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            UsageError: there is nothing at the address, or workers of another version.
        """
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of what was not begun."""
        ...

    def run(self, task: Callable[[T], R], items: Iterable[T]) -> Generator[tuple[T, R | Lost]]:
        """Yield each item with its answer, in the order in which they are ready; the first error is raised.

        An item is taken when there is soon a worker for it, so that few are in memory.
        """
        ...
