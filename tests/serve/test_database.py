"""What a query finds, in which order, whatever the names are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from batchcomp.archive.rows import row_line
from batchcomp.serve.database import Database, Query, key_of
from tests.archive.samples import sample_row, verbatim_row

DAY = 24 * 3600


def line(path: str, *, day: int = 0, width: int = 100) -> bytes:
    row = verbatim_row(path, mtime_ns=day * DAY * 10**9, width=width, height=10)
    return row_line(replace(row, entry=path, payload_sha256="ab" * 32))


def filled(*lines: bytes) -> Database:
    database = Database()
    database.add(1, lines)
    return database


def paths(database: Database, **query: object) -> list[str]:
    return [one.path for one in database.found(database.matching(Query(**query)))]  # type: ignore[arg-type]


def test_words_are_found_in_any_order_and_case() -> None:
    """All words must be in the path; case and the way an accent is written do not matter; signs are no wildcards."""
    database = filled(line("Sommer/Caf\u00e9 1.jpg"), line("sommer/100%_b.jpg"), line("winter/x.jpg"))
    assert paths(database, text="CAFE\u0301 somm") == ["Sommer/Caf\u00e9 1.jpg"]
    assert paths(database, text="0%_") == ["sommer/100%_b.jpg"]
    assert paths(database, text="%") == ["sommer/100%_b.jpg"]
    assert paths(database, text="?") == []
    assert paths(database, text="'; DROP TABLE picture; --") == []
    assert len(paths(database, text="  ")) == 3


def test_a_folder_holds_what_is_below_it_only() -> None:
    """`a` holds `a/b` and `a/b/c`, but not `a`, `a.jpg`, `ab/c` or `a0`."""
    names = ["a.jpg", "a/1.jpg", "a/b/2.jpg", "a0/3.jpg", "ab/4.jpg", "A/5.jpg"]
    database = filled(*map(line, names))
    assert paths(database, folder="a") == ["a/1.jpg", "a/b/2.jpg"]
    assert paths(database, folder="a/b") == ["a/b/2.jpg"]
    assert database.folders() == {"": 1, "a": 1, "a/b": 1, "a0": 1, "ab": 1, "A": 1}


def test_spans_of_time_include_their_beginning_only() -> None:
    """From the first day on, before the second."""
    database = filled(*(line(f"{day}.jpg", day=day) for day in range(-2, 3)))
    assert paths(database, since=-DAY, before=DAY) == ["-1.jpg", "0.jpg"]
    assert paths(database, since=2 * DAY) == ["2.jpg"]
    assert paths(database, before=-DAY) == ["-2.jpg"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [("name", "abc"), ("newest", "cba"), ("oldest", "abc"), ("largest", "bac")],
)
def test_orders(order: str, expected: str) -> None:
    """By name, time, or pixels."""
    database = filled(line("c", day=3, width=1), line("b", day=2, width=9), line("a", day=1, width=5))
    assert "".join(paths(database, order=order)) == expected


def test_the_last_version_of_a_path_is_its_current_one() -> None:
    """Older versions are kept by path and key; a line that occurs twice counts once."""
    first, second = line("a.jpg", day=1), line("a.jpg", day=2)
    database = filled(first, first)
    database.add(2, [second])
    (found,) = database.found(database.matching(Query()))
    assert (found.key, found.changed) == (key_of(2, second), 2 * DAY)
    assert [(key, segment) for key, segment, _ in database.versions("a.jpg")] == [
        (key_of(1, first), 1),
        (key_of(2, second), 2),
    ]
    assert database.path_of(key_of(1, first)) == "a.jpg"
    assert database.path_of("nothing") is None


def test_a_damaged_row_supersedes_too() -> None:
    """An old version is never passed off as the current one; what has no readable path is left out."""
    good = row_line(sample_row("a.jpg", entry="a.jpg.jpg", payload_sha256="ab" * 32))
    database = filled(
        line("a.jpg"), good.replace(b"768", b"769"), b"nonsense\n", b'{"type":"picture","path":"\\ud800"}\n'
    )
    (found,) = database.found(database.matching(Query()))
    assert (found.path, found.stored, found.width) == ("a.jpg", "", 0)


def test_a_closed_database_finds_nothing() -> None:
    """Late questions are no errors."""
    database = filled(line("a"))
    database.close()
    assert paths(database) == []
