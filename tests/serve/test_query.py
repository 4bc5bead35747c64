"""What a query finds, in which order, whatever the names are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchcomp.archive import Row
from batchcomp.index import ArchiveIndex
from batchcomp.serve.query import ORDERS, Query
from tests.archive.samples import verbatim_row, write_archive

DAY = 24 * 3600

Paths = Callable[..., list[str]]
Fill = Callable[..., Paths]


def row(path: str, *, day: int = 0, width: int = 100) -> Row:
    return verbatim_row(path, mtime_ns=day * DAY * 10**9, width=width, height=10)


@pytest.fixture
def filled(tmp_path: Path) -> Fill:
    """Return what makes an archive of rows, and gives what asks it for paths."""

    def fill(*rows: Row) -> Paths:
        write_archive(tmp_path / "a.bca", [(one, one.path.encode()) for one in rows])

        def paths(**options: object) -> list[str]:
            query = Query(**options)  # type: ignore[arg-type]
            with ArchiveIndex.open(tmp_path / "a.bca") as index:
                return [one.path for one in index.rows(query.condition, order=ORDERS[query.order])]

        return paths

    return fill


def test_words_are_found_in_any_order_and_case(filled: Fill) -> None:
    """All words must be in the path; case and the way an accent is written do not matter; signs are no wildcards."""
    paths = filled(row("Sommer/Caf\u00e9 1.jpg"), row("sommer/100%_b.jpg"), row("winter/x.jpg"))
    assert paths(text="CAFE\u0301 somm") == ["Sommer/Caf\u00e9 1.jpg"]
    assert paths(text="0%_") == ["sommer/100%_b.jpg"]
    assert paths(text="%") == ["sommer/100%_b.jpg"]
    assert paths(text="?") == []
    assert paths(text="'; DROP TABLE picture; --") == []
    assert len(paths(text="  ")) == 3


def test_a_folder_holds_what_is_below_it_only(filled: Fill) -> None:
    """`a` holds `a/b` and `a/b/c`, but not `a`, `a.jpg`, `ab/c` or `a0`."""
    paths = filled(*map(row, ["a.jpg", "a/1.jpg", "a/b/2.jpg", "a0/3.jpg", "ab/4.jpg", "A/5.jpg"]))
    assert paths(folder="a") == ["a/1.jpg", "a/b/2.jpg"]
    assert paths(folder="a/b") == ["a/b/2.jpg"]


def test_spans_of_time_include_their_beginning_only(filled: Fill) -> None:
    """From the first day on, before the second."""
    paths = filled(*(row(f"{day}.jpg", day=day) for day in range(-2, 3)))
    assert paths(since=-DAY, before=DAY) == ["-1.jpg", "0.jpg"]
    assert paths(since=2 * DAY) == ["2.jpg"]
    assert paths(before=-DAY) == ["-2.jpg"]


def test_all_that_is_asked_for_must_fit(filled: Fill) -> None:
    """Folder, words and time together."""
    paths = filled(row("a/x.jpg", day=3), row("a/y.jpg", day=3), row("a/x2.jpg", day=1), row("b/x.jpg", day=3))
    assert paths(folder="a", text="X", since=2 * DAY) == ["a/x.jpg"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [("name", "abc"), ("newest", "cba"), ("oldest", "abc"), ("largest", "bac")],
)
def test_orders(filled: Fill, order: str, expected: str) -> None:
    """By name, time, or pixels."""
    paths = filled(row("c", day=3, width=1), row("b", day=2, width=9), row("a", day=1, width=5))
    assert "".join(paths(order=order)) == expected
