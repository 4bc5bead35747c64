"""`bench speed`, as it is typed."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run


def test_one_length_is_chosen(run: Run) -> None:
    """--quick and --long exclude each other."""
    result = run("bench", "speed", "photos", "--quick", "--long")
    assert result.code == 2
    assert "--quick and --long: choose one" in result.err


def test_a_wrong_plot_is_said_before_the_timing(run: Run) -> None:
    """What cannot be drawn is an error at once, not minutes later."""
    result = run("bench", "speed", "photos", "--plot", "speed.gif")
    assert result.code == 2
    assert ".png or .svg" in result.err


def test_nothing_to_time_is_said(run: Run) -> None:
    """A folder without pictures is a usage error."""
    Path("photos").mkdir()
    result = run("bench", "speed", "photos")
    assert result.code == 2
    assert "no pictures there" in result.err
