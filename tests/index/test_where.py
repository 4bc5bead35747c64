"""Filters: what they mean, and that nothing else gets in."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcomp.archive import ArchiveWriter
from batchcomp.errors import UsageError
from batchcomp.index import ArchiveIndex, database
from batchcomp.index.moments import interval_of
from batchcomp.index.where import parse
from tests.archive.samples import sample_row, verbatim_row

NS = 10**9


def seconds(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp())  # type: ignore[misc, arg-type]


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Dates are this machine's; here it is in Greenwich."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system takes no time zone from the environment")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveIndex]:
    """Give the index of four pictures, two of which came a year later."""
    folder = tmp_path_factory.mktemp("made") / "x.bca"
    old = {"mtime_ns": seconds(2025, 7, 14, 12, 30, 15) * NS, "source_bytes": 5_000_000}
    with ArchiveWriter(folder, now=lambda: datetime(2025, 8, 1, tzinfo=UTC)) as writer:
        writer.add(sample_row("a", ms_ssim=0.9, width=100, height=50, **old), bytes(1000))
        writer.add(verbatim_row("v", source_bytes=400, mtime_ns=seconds(2024, 12, 31, 23, 59, 59) * NS), bytes(400))
    with ArchiveWriter(folder, now=lambda: datetime(2026, 8, 1, tzinfo=UTC)) as writer:
        writer.add(sample_row("b", ms_ssim=0.99, ssimulacra2=70.5, mtime_ns=seconds(2026, 1, 1) * NS), bytes(61_728))
        writer.add(sample_row("j", stored="jpeg", quality=80, ms_ssim=0.95, mtime_ns=-5), bytes(9))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "index_file", lambda _store: None)
        with ArchiveIndex.open(folder) as index:
            yield index


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("ms-ssim < 0.95", "a"),
        ("ms-ssim<=0.95", "aj"),
        ("MS_SSIM >= 0.95", "bj"),
        ("not ms-ssim < 0.95", "bj"),
        ("ms-ssim != 0.9", "bj"),
        ("kind = verbatim", "v"),
        ("kind != compact", "vj"),
        ("stored == 'jpeg'", "j"),
        ("size > 4MB", "a"),
        ("source >= 5000kB", "a"),
        ("size < 1KiB", "v"),
        ("archived = 1k", "a"),
        ("width = 100 and height = 50", "a"),
        ("pixels <= 5000", "a"),
        ("quality = 80", "j"),
        ("bpp > 1", "ab"),
        ("ssimulacra2 >= 70", "b"),
        ("saved = 50%", "b"),
        ("saved <= 0", "v"),
        ("gain < 0", "aj"),
        ("date = 2025", "a"),
        ("date = 2025-07", "a"),
        ("date = 2025-07-14", "a"),
        ("date = 2025-07-14T12:30", "a"),
        ("date = 2025-07-14T12:30:15", "a"),
        ("date = 2025-07-14T14:30+02:00", "a"),
        ("date > 2025-07-14T12:30:15Z", "b"),
        ("date = '2025-07-14 12:31'", ""),
        ("date < 2025", "vj"),
        ("date <= 2024-12-31", "vj"),
        ("date > 2024", "ab"),
        ("date >= 2026-01-01", "b"),
        ("changed != 2025", "vbj"),
        ("added = 2025", "av"),
        ("added > 2025", "bj"),
        ("added >= 2025-08-02", "bj"),
        ("added < 2026-08", "av"),
        ("added <= 2026-08-01", "avbj"),
        ("size >= 5 MB", "a"),
        ("size < 0.4 kb and size >= 400 B or archived = 61.728 kB", "b"),
        ("kind = jpeg or kind = verbatim and size < 1k", "vj"),
        ("(kind = jpeg or kind = verbatim) and size < 1k", "v"),
        ("not (kind = jpeg or not size < 1k)", "v"),
        ("NOT kind = jpeg AND NOT kind = verbatim", "ab"),
    ],
)
def test_filters(index: ArchiveIndex, text: str, fits: str) -> None:
    """Comparisons, and, or, not, parentheses; what has no such figure fits no comparison with it."""
    found = index.rows(parse(text, index.last_id))
    assert "".join(sorted((row.path for row in found), key="avbj".index)) == fits


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected one of date, added, kind, .*, but it ends there"),
        ("colour = red", "expected one of date, added, kind, .*, not 'colour'"),
        ("path = 'a'; DROP TABLE picture", "expected one of date"),
        ("size", "expected < or <= or .* after 'size', but it ends there"),
        ("size ! 3", "'! 3' cannot be read"),
        ("size > big", "expected a size such as 9000, 12kB or 5MB after 'size >', not 'big'"),
        ("size > 1 MB MB", "expected and, or after 'size > 1MB', not 'MB'"),
        ("width > 1 MB", "expected and, or after 'width > 1', not 'MB'"),
        ("size > 1e3", "expected a size such as 9000, 12kB or 5MB after 'size >', not '1e3'"),
        ("kind < jpeg", "expected = or == or != after 'kind', not '<'"),
        ("kind = jpg", "expected one of compact, packed, .*, not 'jpg'"),
        ("kind = 'jpeg' --", "expected and, or after .*, not '--'"),
        ("ms-ssim < 1 OR 1=1", "expected one of date.* after 'ms-ssim < 1 OR', not '1'"),
        ("ms-ssim < nan", "expected a number"),
        ("ms-ssim < 1e999", "expected a number"),
        ("date > yesterday", "expected a date: 2025, 2025-07"),
        ("date = 2025-02-30", "expected a date"),
        ("date = 0000", "expected a date"),
        ("(size > 1", r"expected \) after '\( size > 1', but it ends there"),
        ("size > 1)", r"expected and, or after 'size > 1', not '\)'"),
        ("kind = 'jpeg", "cannot be read"),
        ("not " * 300 + "size > 1", "cannot be read"),
    ],
)
def test_what_is_no_filter_is_said(text: str, said: str) -> None:
    """The message says what was expected, and where."""
    with pytest.raises(UsageError, match=f"^--where .*{said}"):
        parse(text, lambda _moment: 0)


@given(st.text(alphabet=st.sampled_from("sizedatekindmsor ()<>='\"1;-2%*\0\x1b\u202e"), max_size=40))
def test_no_text_is_anything_but_a_filter_or_a_usage_error(text: str) -> None:
    """Whatever is typed, what comes out holds as many values as marks, and no word of the text."""
    with suppress(UsageError):
        condition = parse(text, lambda _moment: 0)
        assert condition.sql.count("?") == len(condition.values)


@pytest.mark.parametrize(
    ("text", "first", "end"),
    [
        ("2024", (2024, 1, 1), (2025, 1, 1)),
        ("2024-02", (2024, 2, 1), (2024, 3, 1)),
        ("2024-12", (2024, 12, 1), (2025, 1, 1)),
        ("2024-02-29", (2024, 2, 29), (2024, 3, 1)),
        ("2024-02-29T23:59", (2024, 2, 29, 23, 59), (2024, 3, 1)),
        ("2024-02-29T23:59:59-01:00", (2024, 3, 1, 0, 59, 59), (2024, 3, 1, 1, 0)),
    ],
)
def test_a_date_is_all_of_what_it_names(text: str, first: tuple[int, ...], end: tuple[int, ...]) -> None:
    """A year is a year long, a minute a minute."""
    assert interval_of(text) == (seconds(*first), seconds(*end))


@pytest.mark.skipif(not os.path.exists("/usr/share/zoneinfo"), reason="no time zones")  # noqa: PTH110
def test_a_day_is_this_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `--at` has it; where the clocks change it has 23 hours."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    assert interval_of("2025-03-30") == (seconds(2025, 3, 29, 23), seconds(2025, 3, 30, 22))
