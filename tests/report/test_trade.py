"""Compression against speed, and names of our codecs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from batchcomp.benchmark import rivals
from batchcomp.report import trade
from batchcomp.report.trade import TradePoint, family_of, is_ours, model_of, name_of, savings, speeds_in, trade_sheet


@pytest.mark.parametrize(
    ("model", "options", "name"),
    [
        ("default", "", "batchcomp"),
        ("default", "--pack", "batchcomp --pack"),
        ("fast", "", "batchcomp fast"),
        ("fast", "--pack", "batchcomp fast --pack"),
        ("my own", "--pack --effort 3", "batchcomp my own --pack --effort 3"),
    ],
)
def test_names_tell_model_and_options(model: str, options: str, name: str) -> None:
    """A name is made of both and taken apart again; the default model is left out."""
    assert name_of(model, *options.split()) == name
    assert model_of(name) == (model, options)
    assert is_ours(name)


def test_others_are_not_ours() -> None:
    """A rival is none of ours, not even where its name begins alike."""
    assert not any(map(is_ours, ("avif", "batchcompress", "batchcomp, measured")))


@pytest.mark.parametrize(
    ("name", "family"),
    [("avif speed 8", "avif"), ("jpegxl effort 3", "jpegxl"), ("jpegli", "jpegli"), ("jpeg", "jpeg"), ("bpg", "bpg")],
)
def test_families(name: str, family: str) -> None:
    """A setting belongs to its codec; names that merely begin alike do not."""
    assert family_of(name) == family


def test_usual_speeds_are_those_of_the_benchmark() -> None:
    """What a curve without a setting was measured at is what the rivals run at."""
    assert {name: codec for codec, name in rivals.USUAL.items()} == trade.USUAL


def whole(what: str, mps: float) -> Any:
    return SimpleNamespace(what=what, working_mps=lambda _: mps)


def report(model: str = "default") -> Any:
    """Return the speeds of two rivals and of whole runs with two models."""
    runs = [("compress", 2.6), ("compress, measured", 1.1), ("decode to PNG", 2.5)]
    runs += [("compress, fast", 8.4), ("compress, measured, fast", 2.8), ("decode to PNG, fast", 8.1)]
    runs += [("compress, packed", 1.0), ("compress, packed, fast", 1.3)]
    timed = [SimpleNamespace(name=f"avif speed {speed}", encode_mps=mps) for speed, mps in ((6, 4.0), (9, 33.0))]
    return SimpleNamespace(rivals=timed, wholes=[whole(*run) for run in runs], startup_seconds=0.6, model=model)


def test_whole_runs_are_told_by_model_packing_and_measuring() -> None:
    """Every run of `compress` has its codec's name; decoding stands beside what was not packed."""
    assert trade.whole_speeds(report()) == {
        "batchcomp": (2.6, 2.5),
        "batchcomp, measured": (1.1, 2.5),
        "batchcomp fast": (8.4, 8.1),
        "batchcomp fast, measured": (2.8, 8.1),
        "batchcomp --pack": (1.0, None),
        "batchcomp fast --pack": (1.3, None),
    }
    assert trade.whole_speeds(report("own"))["batchcomp own, measured"] == (1.1, 2.5)


def test_every_codec_of_ours_is_a_point() -> None:
    """Each model measured and not; packed ones on a line of their own; ours first, each line by speed."""
    saved = {"batchcomp": 52.0, "batchcomp fast": 43.0, "batchcomp --pack": 62.0, "avif": 44.0, "avif speed 9": 33.0}
    points = trade.trade(saved, speeds_in(report()))
    assert [(one.line, one.name, one.speed, one.saved) for one in points] == [
        ("batchcomp", "default, measured", 1.1, 52.0),
        ("batchcomp", "default, not measured", 2.6, 52.0),
        ("batchcomp", "fast, measured", 2.8, 43.0),
        ("batchcomp", "fast, not measured", 8.4, 43.0),
        ("batchcomp --pack", "default --pack, not measured", 1.0, 62.0),
        ("avif", "avif speed 6", 4.0, 44.0),
        ("avif", "avif speed 9", 33.0, 33.0),
    ]


def test_what_is_not_known_both_ways_is_left_out() -> None:
    """A codec without a speed, and one without bytes."""
    saved = {"jpeg": 0.0, "avif": 44.0, "batchcomp": 52.0}
    found = trade.trade(saved, {"webp method 6": 9.0, "jpeg": 0.0, "batchcomp fast": 3.0, "avif speed 6": 4.0})
    assert [one.name for one in found] == ["avif speed 6"]


def test_savings_are_of_the_usual_span_where_it_is_met() -> None:
    """Percent of JPEG's bytes, positive where fewer; other anchors do not count."""
    rates = [("batchcomp", "jpeg", -50.0, -52.0), ("avif", "jpeg", -40.0, None), ("x", "jpeg", None, None)]
    rates += [("jpeg", "jpeg", 0.0, 0.0), ("batchcomp", "mozjpeg", -35.0, -36.0)]
    rows = [
        SimpleNamespace(rival=rival, anchor=anchor, of_mean_curve=mean, in_usual_span=usual)
        for rival, anchor, mean, usual in rates
    ]
    found = savings(SimpleNamespace(bd_rates=rows))
    assert found == {"batchcomp": 52.0, "avif": 40.0, "jpeg": 0.0}
    assert str(found["jpeg"]) == "0.0"


def test_the_table_names_codec_and_setting() -> None:
    """Ours by model, a rival by its setting."""
    ours = TradePoint(line="batchcomp --pack", name="fast --pack, not measured", speed=1.234, saved=54.25)
    rival = TradePoint(line="avif", name="avif speed 8", speed=9.5, saved=37)
    assert trade_sheet([ours, rival]).rows == [
        ["batchcomp fast --pack, not measured", "1.23", "54.2 %"],
        ["avif speed 8", "9.5", "37.0 %"],
    ]
