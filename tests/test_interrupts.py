"""Interruptions wait where they must."""

from __future__ import annotations

import threading

import pytest

from batchcomp.interrupts import held, interrupt


def test_an_interruption_is_raised_at_once_where_nothing_is_held() -> None:
    """Outside any block an interruption does not wait."""
    with pytest.raises(KeyboardInterrupt):
        interrupt(KeyboardInterrupt())


def test_an_interruption_waits_for_the_outermost_block() -> None:
    """What is in the block is done in full, blocks within blocks too; the code behind it never runs."""
    done = []

    def work() -> None:
        with held():
            with held():
                interrupt(KeyboardInterrupt("mine"))
                done.append("inner")
            done.append("outer")
        done.append("behind")

    with pytest.raises(KeyboardInterrupt, match="mine"):
        work()
    assert done == ["inner", "outer"]
    with held():
        done.append("again")  # nothing is left over


def test_what_failed_in_the_block_is_not_lost() -> None:
    """An error of the block becomes a note of the interruption that waited."""

    def work() -> None:
        with held():
            interrupt(KeyboardInterrupt())
            raise OSError("disk full")

    with pytest.raises(KeyboardInterrupt) as caught:
        work()
    assert caught.value.__notes__ == ["disk full"]


def test_an_error_alone_passes() -> None:
    """Without an interruption the block's own error is what comes out."""
    with pytest.raises(OSError, match="disk full"), held():
        raise OSError("disk full")


def test_other_threads_hold_nothing() -> None:
    """A block in a worker does not keep the main thread from being interrupted."""
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with held():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(10)
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupt(KeyboardInterrupt())
    finally:
        leave.set()
        thread.join()
