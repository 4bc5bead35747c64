"""What the machine can do, and what a process takes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from batchcomp.benchmark.machine import in_parallel, matmul_gflops, median_seconds, run_measured, tree_bytes


def test_the_peak_is_a_rate_and_threads_are_given_back() -> None:
    """The machine's peak is measured, and torch has as many threads afterwards as before."""
    before = torch.get_num_threads()
    assert matmul_gflops(1, runs=1) > 0.1
    assert torch.get_num_threads() == before


def test_work_side_by_side_is_done_that_often() -> None:
    """Each copy runs, and an error of any is raised."""
    done: list[int] = []
    in_parallel(lambda: done.append(1), 3)()
    assert len(done) == 3
    assert median_seconds(lambda: None, 3) >= 0

    def broken() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        in_parallel(broken, 2)()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="memory of processes is read from /proc")
def test_memory_of_a_process_tree_is_seen() -> None:
    """This process holds more than Python itself needs, and a block that it takes adds its size."""
    import os  # noqa: PLC0415

    before = tree_bytes(os.getpid())
    block = np.ones(100 << 20, np.uint8)
    assert tree_bytes(os.getpid()) - before == pytest.approx(block.nbytes, rel=0.3)


def test_a_measured_run_tells_time_memory_and_code() -> None:
    """A command that works and one that does not."""
    ran = run_measured(["--version"])
    assert ran.code == 0
    assert ran.seconds > 0
    assert run_measured(["compress", "/nowhere/at/all", "-o", "x.bca"]).code != 0
