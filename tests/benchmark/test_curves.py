"""Names of pictures."""

from __future__ import annotations

from pathlib import Path

from batchcomp.benchmark.curves import name_pictures


def test_pictures_of_one_name_are_told_apart() -> None:
    """Pictures that share a file name are called by their whole path."""
    tasks = name_pictures([Path("a/x.png"), Path("b/x.png"), Path("b/y.png")])
    assert [task.name for task in tasks] == ["a/x.png", "b/x.png", "y.png"]
