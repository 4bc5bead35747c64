"""Who does the work of a stage."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from batchcomp.pipeline.workers import Serial, Threads, Workers


@pytest.mark.parametrize("workers", [Serial(), Threads(3)], ids=["serial", "threads"])
def test_answers_come_in_the_order_of_the_items(workers: Workers) -> None:
    """Whoever works, the first answer is that of the first item; no items give no answers."""
    assert workers.map(lambda number: number**2, range(20)) == [number**2 for number in range(20)]
    assert workers.map(str, []) == []


@pytest.mark.parametrize("workers", [Serial(), Threads(2)], ids=["serial", "threads"])
def test_errors_reach_the_caller(workers: Workers) -> None:
    """An error of the function is raised where the answers were wanted."""
    with pytest.raises(ZeroDivisionError):
        workers.map(lambda number: 1 // number, [1, 0])


def test_serial_work_is_done_here() -> None:
    """No other thread has a part in it."""
    assert set(Serial().map(lambda _: threading.get_ident(), range(3))) == {threading.get_ident()}


def test_threads_serve_many_calls() -> None:
    """As a context manager the pool stays for all calls."""
    with Threads(2) as workers:
        assert [workers.map(abs, [-number]) for number in range(5)] == [[number] for number in range(5)]


def test_a_system_without_semaphores_is_no_matter_for_a_mail() -> None:
    """Where /dev/shm is missing or cannot be written to joblib has no processes; none are used, and nothing is said."""
    code = """
import _multiprocessing, sys
def refuse(*_, **__): raise OSError(13, "Permission denied")
_multiprocessing.SemLock = type("SemLock", (), {"SEM_VALUE_MAX": 1, "__init__": refuse, "_rebuild": refuse})
sys.path[:] = sys.argv[1:]
from batchcomp.pipeline.workers import Threads
with Threads(4) as workers:
    import joblib._multiprocessing_helpers
    assert joblib._multiprocessing_helpers.mp is None
    print(workers.map(abs, [-1, 2]))
"""
    done = subprocess.run([sys.executable, "-c", code, *sys.path], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[1, 2]\n", "")
