"""Work is done once, a little at a time, and what is kept has a limit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from batchcomp.serve.shared_work import IN_MEMORY, AbandonedError, BusyError, Result, SharedWork


async def here() -> bool:
    return False


async def gone() -> bool:
    return True


def run(test: Callable[[SharedWork], Awaitable[None]], **options: int) -> None:
    """Run a test with a SharedWork, which is closed at its end."""

    async def whole() -> None:
        usual = {"workers": 2, "queue": 10, "most_bytes": 100, "most": 100}
        work = SharedWork(**{**usual, **options}, name="test")  # type: ignore[arg-type]
        try:
            await asyncio.wait_for(test(work), 30)
        finally:
            work.close()

    asyncio.run(whole())


class Maker:
    """Makes results, counts, and waits until it may end."""

    def __init__(self, size: int = 10) -> None:
        self.calls, self.now, self.most, self.size = 0, 0, 0, size
        self.may_end, self._lock = threading.Event(), threading.Lock()

    def __call__(self) -> Result:
        with self._lock:
            self.calls, self.now = self.calls + 1, self.now + 1
            self.most = max(self.most, self.now)
        assert self.may_end.wait(30)
        with self._lock:
            self.now -= 1
        return Result("text/plain", bytes(self.size))


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0.005)


def test_the_same_work_is_done_once() -> None:
    """Twenty who ask at a time get one result; who asks later gets it without work."""

    async def test(work: SharedWork) -> None:
        make = Maker()
        asked = [asyncio.create_task(work.get("a", make, here)) for _ in range(20)]
        await settle()
        make.may_end.set()
        results = await asyncio.gather(*asked)
        assert make.calls == 1
        assert all(result is results[0] for result in results)
        assert await work.get("a", make, here) is results[0]
        assert make.calls == 1

    run(test)


def test_only_so_many_run_at_once_and_so_many_wait() -> None:
    """Two at a time; ten wait; the thirteenth is told to come back."""

    async def test(work: SharedWork) -> None:
        make = Maker()
        asked = [asyncio.create_task(work.get(str(n), make, here)) for n in range(12)]
        await settle()
        assert make.now == 2
        with pytest.raises(BusyError):
            await work.get("one more", make, here)
        make.may_end.set()
        await asyncio.gather(*asked)
        assert (make.most, make.calls) == (2, 12)
        await work.get("one more", make, here)

    run(test)


def test_what_nobody_waits_for_is_not_done() -> None:
    """Work that all left before it began is left out; if one stays it is done."""

    async def test(work: SharedWork) -> None:
        first, left, kept = Maker(), Maker(), Maker()
        running = asyncio.create_task(work.get("first", first, here))
        await settle()
        abandoned = [asyncio.create_task(work.get("left", left, gone)) for _ in range(2)]
        half = [asyncio.create_task(work.get("kept", kept, who)) for who in (gone, here)]
        await settle()
        for maker in (first, left, kept):
            maker.may_end.set()
        await asyncio.gather(running, *half)
        found = await asyncio.gather(*abandoned, return_exceptions=True)
        assert all(isinstance(one, AbandonedError) for one in found)
        assert (left.calls, kept.calls) == (0, 1)

    run(test, workers=1)


def test_what_is_kept_has_a_limit() -> None:
    """What was not asked for the longest goes first; what is larger than all that is kept is not kept at all."""

    async def test(work: SharedWork) -> None:
        make = Maker(size=40)
        make.may_end.set()
        for key in "aba":
            await work.get(key, make, here)
        await work.get("c", make, here)  # b goes
        assert (make.calls, work.kept_bytes) == (3, 80)
        await work.get("a", make, here)
        assert make.calls == 3
        await work.get("b", make, here)
        assert make.calls == 4
        make.size = 101
        await work.get("huge", make, here)
        assert work.kept_bytes == 80

    run(test)


def test_the_number_kept_has_a_limit_too() -> None:
    """Each may hold a file open."""

    async def test(work: SharedWork) -> None:
        make = Maker(size=1)
        make.may_end.set()
        for key in range(5):
            await work.get(str(key), make, here)
        assert work.kept_bytes == 3

    run(test, most=3)


def test_an_error_reaches_all_who_asked_and_is_not_kept() -> None:
    """The next one who asks has another try."""

    async def test(work: SharedWork) -> None:
        def fail() -> Result:
            raise ValueError("damaged")

        asked = [asyncio.create_task(work.get("a", fail, here)) for _ in range(3)]
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert [str(one) for one in found] == ["damaged"] * 3
        make = Maker()
        make.may_end.set()
        assert (await work.get("a", make, here)).size == 10

    run(test)


@pytest.mark.parametrize("size", [0, 10, IN_MEMORY, IN_MEMORY + 1, 3 * IN_MEMORY + 7])
def test_results_come_back_whole_in_memory_and_on_disk(size: int) -> None:
    """Large ones lie in a file and are read in pieces, by several at once."""
    data = bytes(range(256)) * (size // 256 + 1)
    result = Result("text/plain", data[:size])
    one, other = result.chunks(), result.chunks()
    parts = [(first, second) for first, second in zip(one, other, strict=True)]
    assert b"".join(first for first, _ in parts) == data[:size]
    assert b"".join(second for _, second in parts) == data[:size]
    assert max(len(first) for first, _ in parts) <= IN_MEMORY
