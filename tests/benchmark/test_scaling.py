"""Runs on fewer cores: as many threads as cores, bound to them where the system can, and set free afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from batchcomp.benchmark import machine, wholes
from batchcomp.benchmark.scaling import bound_to, scaling_runs
from batchcomp.benchmark.wholes import Command

BOUND = hasattr(os, "sched_setaffinity")


def cores_now() -> int:
    return len(os.sched_getaffinity(0)) if BOUND else 0


def test_each_command_runs_on_each_number_of_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that the machine does not have is left out; what runs cost is kept."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").touch()
    seen: list[tuple[str, str, int]] = []

    def run(arguments: list[str]) -> machine.ProcessRun:
        seen.append((arguments[0], arguments[arguments.index("--jobs") + 1], cores_now()))
        return machine.ProcessRun(seconds=2, first_seconds=1, peak_bytes=1, code=0, errors="", cpu_seconds=1.5)

    monkeypatch.setattr(wholes, "run_measured", run)
    command = Command(device="cpu", threads=9, model=None, on_done=lambda _: None)
    before = cores_now()
    found = scaling_runs(command, tmp_path / "in", 12, counts=(1, 100_000))
    assert [one.what for one in found] == ["compress, 1 core", "compress, measured, 1 core", "decode to PNG, 1 core"]
    assert seen == [(name, "1", min(1, before)) for name in ("compress", "compress", "decode")]
    assert {(one.megapixels, one.cpu_seconds) for one in found} == {(12, 1.5)}
    assert cores_now() == before


@pytest.mark.skipif(not BOUND, reason="the system binds no processes to cores")
def test_an_error_sets_the_cores_free() -> None:
    """What comes after a failed run has all cores again."""
    before, seen = os.sched_getaffinity(0), []

    def fails() -> None:
        with bound_to(1):
            seen.append(len(os.sched_getaffinity(0)))
            raise ValueError("failed")

    with pytest.raises(ValueError, match="failed"):
        fails()
    assert seen == [1]
    assert os.sched_getaffinity(0) == before
