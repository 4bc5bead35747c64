"""`tools/simulate_cluster.py`: what must hold of any run, and the cases that can be reckoned by hand."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

TOOL = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "simulate_cluster.py"))
Work, Workers, simulate = TOOL["Work"], TOOL["Workers"], TOOL["simulate"]


@pytest.mark.parametrize(("parts", "workers", "rounds"), [(12, 4, 3), (13, 4, 4), (1, 9, 1), (100, 1, 100)])
def test_equal_parts_take_whole_rounds(parts: int, workers: int, rounds: int) -> None:
    """Without spread, stragglers, failures and a scheduler's time: the parts of each worker, one after the other."""
    run = simulate(Work(parts=parts, seconds=60, spread=0, stragglers=0), Workers(count=workers, dispatch=0))
    assert run.hours == pytest.approx(rounds / 60)
    assert run.efficiency == pytest.approx(parts / (rounds * workers))
    assert (run.deaths, run.repeated, run.done) == (0, 0, parts)


def test_the_scheduler_is_a_limit() -> None:
    """Where parts are so short that it cannot hand them out, more workers make nothing faster."""
    work = Work(parts=1000, seconds=1, spread=0, stragglers=0)
    few, many = (simulate(work, Workers(count=count, dispatch=0.1)) for count in (10, 500))
    assert few.hours < 1.15 * many.hours
    assert many.hours >= 1000 * 0.1 / 3600


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 9), st.floats(0.005, 2), st.integers(0, 9))
def test_every_part_is_done_whatever_dies(parts: int, workers: int, mtbf_hours: float, seed: int) -> None:
    """Each once; a run is never shorter than its work allows, and repeated work is counted."""
    work, cluster = Work(parts=parts, seconds=20), Workers(count=workers, mtbf_hours=mtbf_hours)
    run = simulate(work, cluster, seed)
    assert run.done == parts
    assert 0 < run.efficiency <= 1
    assert (run.deaths > 0) == (run.repeated > 0)
    assert run == simulate(work, cluster, seed)


def test_the_tables_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """One run by options prints its figures, with and without stragglers."""
    TOOL["main"](["--parts", "50", "--workers", "5", "--seconds", "10"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Run(hours=")
    assert lines[1].endswith("without stragglers")
