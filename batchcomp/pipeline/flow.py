"""How work flows through a run, in order and in bounded memory.

On a CPU each picture goes through all stages in one thread while others do the same (`ordered`): no stage waits for
another, and the tiles of all of them share the cores. For another device, which wants batches, pictures travel in
`windows` from stage to stage, each stage one window ahead of the next.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

WINDOW_ITEMS = 32
WINDOW_BYTES = 64 * 2**20  # of pixels for each worker
AHEAD = 8  # items for each thread that may be finished or waiting behind a slow one


def windows(
    items: Iterable[T], weigh: Callable[[T], int], *, most: int = WINDOW_ITEMS, heaviest: int = WINDOW_BYTES
) -> Iterator[list[T]]:
    """Cut a stream into lists of at most `most` items and about `heaviest` bytes; one item may be heavier alone."""
    window: list[T] = []
    weight = 0
    for item in items:
        heavy = weigh(item)
        if window and (len(window) == most or weight + heavy > heaviest):
            yield window
            window, weight = [], 0
        window.append(item)
        weight += heavy
    if window:
        yield window


def ordered(
    items: Iterable[T], work: Callable[[T], R], weigh: Callable[[T], int], *, threads: int, heaviest: int
) -> Generator[R]:
    """Apply `work` to a stream in that many threads and yield its answers in the stream's order.

    Items in hand, from when they are begun until their answer was taken, weigh `heaviest` at most together; one item
    may be heavier alone. No item is taken from the stream before there is a thread that could soon begin it, and that
    happens in the caller's thread. Errors are raised here, in order; what was not begun by then, or when this
    generator is closed, never begins.
    """
    waiting: deque[tuple[Future[R], int]] = deque()
    weight = 0
    with ThreadPoolExecutor(threads, "pictures") as pool:
        try:
            for item in items:
                heavy = weigh(item)
                while waiting and (
                    waiting[0][0].done() or weight + heavy > heaviest or len(waiting) == AHEAD * threads
                ):
                    yield waiting[0][0].result()
                    weight -= waiting.popleft()[1]
                waiting.append((pool.submit(work, item), heavy))
                weight += heavy
            while waiting:
                yield waiting.popleft()[0].result()
        finally:
            for future, _ in waiting:
                future.cancel()


class _End:
    """What the background thread puts last: the error it died of, if any."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def ahead(items: Iterator[T], *, by: int = 1) -> Generator[T]:
    """Run an iterator in a background thread, at most `by` items ahead; its errors are raised here.

    Nothing is begun before there is room for it. Closing this generator stops the thread after the item in hand.
    """
    done: queue.Queue[T | _End] = queue.Queue()
    room, stop = threading.Semaphore(by), threading.Event()
    thread = threading.Thread(target=_fill, args=(items, done, room, stop), name="ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := done.get(), _End):
            room.release()
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stop.set()
        room.release()
        thread.join()


def _fill(items: Iterator[T], done: queue.Queue[T | _End], room: threading.Semaphore, stop: threading.Event) -> None:
    try:
        while room.acquire() and not stop.is_set():
            done.put(next(items))
    except StopIteration:
        done.put(_End())
    except BaseException as error:  # noqa: BLE001  (raised again in the consumer's thread)
        done.put(_End(error))
