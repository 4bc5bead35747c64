"""Which pictures of an archive a command means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from batchcomp.errors import UsageError
from batchcomp.index import ArchiveIndex
from batchcomp.pipeline.selection import chosen, matches, view_of
from tests.archive.samples import sample_row, write_archive


def paths(folder: Path, names: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Return what patterns choose of an archive of these pictures."""
    write_archive(folder / "a.bca", [(sample_row(name), name.encode()) for name in names])
    with ArchiveIndex.open(folder / "a.bca") as index:
        return [row.path for row in index.rows(chosen(index, view_of(index), patterns))]


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("a.png", "a.png", True),
        ("a.png", "x/a.png", True),
        ("*.png", "x/y/a.png", True),
        ("x", "x/y/a.png", True),
        ("x/", "x/y/a.png", True),
        ("x/*", "x/y/a.png", True),
        ("y", "x/yy/a.png", False),
        ("*.jpg", "a.png", False),
        ("A.png", "a.png", False),
        ("[ab].png", "a.png", True),
    ],
)
def test_patterns(pattern: str, path: str, fits: bool) -> None:
    """A glob means the whole path, the file's name, or a folder above it; case counts."""
    assert matches(path, pattern) is fits


@pytest.mark.parametrize(
    ("pattern", "chosen"),
    [
        ("[2023] trip/b.jpg", ["[2023] trip/b.jpg"]),
        ("./[2023] trip/b.jpg", ["[2023] trip/b.jpg"]),
        ("[2023] trip", ["[2023] trip/b.jpg", "[2023] trip/b[1].jpg"]),
        ("[2023] trip/", ["[2023] trip/b.jpg", "[2023] trip/b[1].jpg"]),
        ("[2023] trip/*.jpg", ["[2023] trip/b.jpg", "[2023] trip/b[1].jpg", "2 trip/b.jpg"]),
        ("b[1].jpg", ["[2023] trip/b[1].jpg"]),
        ("[0-9] trip", ["2 trip/b.jpg"]),
        ("*", ["[2023] trip/b.jpg", "[2023] trip/b[1].jpg", "2 trip/b.jpg", "x/*", "a%5Cb.jpg", "x/\u202ec.jpg"]),
        ("x/*", ["x/*"]),
        ("a\\b.jpg", ["a%5Cb.jpg"]),
        ("a%5Cb.jpg", ["a%5Cb.jpg"]),
        (r"x/\u202ec.jpg", ["x/\u202ec.jpg"]),
    ],
)
def test_a_name_is_found_as_it_is_printed(tmp_path: Path, pattern: str, chosen: list[str]) -> None:
    """Letter by letter before glob, brackets as brackets too, and by the name that the disk or a message has."""
    names = ["[2023] trip/b.jpg", "[2023] trip/b[1].jpg", "2 trip/b.jpg", "x/*", "a%5Cb.jpg", "x/\u202ec.jpg"]
    assert paths(tmp_path, names, [pattern]) == chosen


def test_each_row_is_chosen_once(tmp_path: Path) -> None:
    """A picture that two patterns match is restored once, in the archive's order."""
    assert paths(tmp_path, ["b.png", "a.png"], ["*.png", "a*", "a.png"]) == ["b.png", "a.png"]


def test_what_matches_nothing_is_said(tmp_path: Path) -> None:
    """A pattern that fits no path is more likely wrong than meant."""
    with pytest.raises(UsageError, match=r"no picture matches \*\.gif; `batchcomp list` shows the paths"):
        paths(tmp_path, ["a.png"], ["*.gif"])


def test_a_name_that_is_no_utf8_is_a_pattern_like_any_other(tmp_path: Path) -> None:
    """What the shell passes on of a broken name is found under its escaped one."""
    assert paths(tmp_path, ["%FF.png", "b.png"], ["\udcff.png"]) == ["%FF.png"]


def test_a_version_or_moment_that_never_was_is_said(tmp_path: Path) -> None:
    """Nothing is silently nothing."""
    write_archive(tmp_path / "a.bca", [(sample_row("a.png"), b"x")])
    with ArchiveIndex.open(tmp_path / "a.bca") as index:
        with pytest.raises(UsageError, match="no picture has a version 2"):
            view_of(index, version=2)
        with pytest.raises(UsageError, match="held nothing at 2020-01-01"):
            view_of(index, at=datetime(2020, 1, 1, tzinfo=UTC))
