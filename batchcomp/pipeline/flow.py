"""How work flows through a run: bounded windows, and a stage that works one window ahead of the next."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

WINDOW_ITEMS = 32
WINDOW_BYTES = 64 * 2**20  # of pixels for each worker


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
