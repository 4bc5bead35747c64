"""The model of more cores: arithmetic on what the stages took, and tables of it."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from batchcomp.report.scaling import models, scaling_sheets


def stage(name: str, mps: float) -> Any:
    return SimpleNamespace(name=name, mps=mps)


def report(*without: str, runs: tuple[Any, ...] = ()) -> Any:
    """Two threads; each stage of all cores takes .1 core-seconds a megapixel, PNG .05, the ones of one thread .004."""
    shared = [stage(name, 20.0) for name in ("load", "ComCNN", "encode", "decode", "RecCNN", "measure")]
    alone = [stage("write", 250.0), stage("read", 500.0), stage("save PNG", 20.0)]
    stages = [one for one in (*shared, *alone) if one.name not in without]
    return SimpleNamespace(threads=2, stages=stages, scaling=list(runs))


def test_cores_help_until_the_stage_of_one_thread_is_busy() -> None:
    """Compressing takes .304 core-seconds, of which .004 pass one after the other: 76 cores are of use."""
    compress, measured, decode = models(report())
    assert [one.slowest for one in (compress, measured, decode)] == ["write", "write", None]
    assert compress.saturated_from == pytest.approx(76)
    assert [compress.mps(cores) for cores in (1, 16, 64, 76, 500)] == pytest.approx(
        [1 / 0.304, 16 / 0.304, 64 / 0.304, 250, 250]
    )
    assert measured.saturated_from == pytest.approx(151)
    assert (decode.saturated_from, decode.mps(1000)) == (math.inf, pytest.approx(1000 / 0.252))
    assert decode.costs == pytest.approx({"read": 0.002, "decode": 0.1, "RecCNN": 0.1, "save PNG": 0.05})


def test_a_command_whose_stages_were_not_all_timed_has_no_model() -> None:
    """As in reports of earlier runs."""
    assert [one.command for one in models(report("read"))] == ["compress", "compress, measured"]
    assert list(scaling_sheets(report("read", "write"))) == []


def test_tables_show_what_was_measured_beside_the_model() -> None:
    """Computing time where the system says it."""
    runs = tuple(
        SimpleNamespace(what=what, seconds=6.0, megapixels=24.0, cpu_seconds=spent)
        for what, spent in (("compress, 1 core", 4.8), ("compress, 2 cores", None))
    )
    measured, stages, modelled = scaling_sheets(report(runs=runs))
    assert measured.rows == [["compress, 1 core", "6.0", "4.00", "0.200"], ["compress, 2 cores", "6.0", "4.00", "-"]]
    assert ["write", "0.0040", "one"] in stages.rows
    assert ["RecCNN", "0.1000", "all"] in stages.rows
    assert [row[-1] for row in modelled.rows] == ["write, 76 cores", "write, 151 cores", "none"]
    assert modelled.rows[0] == ["compress", "3.289", "6.579", "13.16", "52.63", "210.5", "write, 76 cores"]
