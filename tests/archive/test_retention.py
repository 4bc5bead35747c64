"""Rules keep what they say, and a version that any rule keeps stays."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, ArchiveWriter, Keep, prune, verify
from batchcomp.errors import UsageError

from .samples import sample_row

DAYS = ["2024-12-31", "2025-12-29", "2026-01-01", "2026-01-31", "2026-02-01", "2026-02-01", "2026-02-03"]
TIMES = [datetime.fromisoformat(f"{day}T{hour:02d}:00:00").replace(tzinfo=UTC) for hour, day in enumerate(DAYS)]


@pytest.mark.parametrize(
    ("keep", "stays"),
    [
        (Keep(last=2), [5, 6]),
        (Keep(daily=2), [5, 6]),
        (Keep(daily=3), [3, 5, 6]),
        (Keep(weekly=3), [2, 5, 6]),  # 2025-12-29 is in the first week of 2026
        (Keep(monthly=2), [3, 6]),
        (Keep(monthly=9), [0, 1, 3, 6]),
        (Keep(yearly=2), [1, 6]),
        (Keep(last=1, yearly=9), [0, 1, 6]),
        (Keep(last=99), [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_rules(keep: Keep, stays: list[int]) -> None:
    """Each rule takes the last version of each of its latest periods."""
    assert list(keep.reasons(TIMES)) == stays


def test_reasons_name_every_rule() -> None:
    """A person sees why a version stays."""
    found = Keep(last=1, daily=1, yearly=2).reasons(TIMES)
    assert found == {1: "yearly 2025", 6: "last 1, daily 2026-02-03, yearly 2026"}


@pytest.mark.parametrize("fields", [{}, {"last": 0}, {"daily": -1}])
def test_what_keeps_nothing_is_refused(fields: dict[str, int]) -> None:
    """There is no way to ask for an empty archive by a number."""
    with pytest.raises(UsageError, match="expected 1 or more"):
        Keep(**fields)


def test_prune_goes_by_the_segments_times(tmp_path: Path) -> None:
    """Also after an earlier `prune`, which leaves the times as they were."""
    folder = tmp_path / "x.bca"
    for number, time in enumerate(TIMES):
        with ArchiveWriter(folder, now=lambda time=time: time) as writer:  # type: ignore[misc]
            writer.add(sample_row("a.png"), b"version %d" % number)
            writer.add(sample_row(f"{number}.png"), b"other")
    found = prune(folder, keep=Keep(monthly=9), dry_run=True)
    assert [(one.row.segment, one.reason) for one in found.stays] == [
        (1, "monthly 2024-12"), (2, "monthly 2025-12"), (4, "monthly 2026-01"), (7, "monthly 2026-02"),
    ]  # fmt: skip
    for _ in range(2):
        prune(folder, keep=Keep(monthly=9))
        rows = [row.segment for row in ArchiveReader.open(folder).all_rows() if row.path == "a.png"]
        assert rows == [1, 2, 4, 7]
    prune(folder, keep=Keep(yearly=1))
    assert [row.segment for row in ArchiveReader.open(folder).all_rows() if row.path == "a.png"] == [7]
    assert verify(folder).ok
