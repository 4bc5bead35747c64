"""Figures as people read them."""

from __future__ import annotations

import pytest

from batchcomp.report import text


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (12_345, "12.3 kB"),
        (1_500_000, "1.5 MB"),
        (2e9, "2.0 GB"),
        (3e13, "30.0 TB"),
    ],
)
def test_bytes_for_people(count: float, shown: str) -> None:
    """Bytes are shown in powers of 1000."""
    assert text.human(count) == shown


@pytest.mark.parametrize(
    ("saved", "shown"), [(0.4, "40 %"), (-0.08, "-8 %"), (0.0, "0 %"), (0.004, "0 %"), (None, "-")]
)
def test_savings_are_positive(saved: float | None, shown: str) -> None:
    """What was saved is shown as what was saved."""
    assert text.percent(saved) == shown


def test_counts_are_worded() -> None:
    """One picture is no "pictures"."""
    assert (text.pictures(1), text.pictures(2)) == ("1 picture", "2 pictures")


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("a.jpg", 5, "a.jpg"),
        ("holidays/0001.jpg", 12, "hol...01.jpg"),
        ("abcdefgh", 5, "...gh"),
        ("写真.jpg", 8, "写真.jpg"),
        ("写真写真写真.jpg", 14, "写...写真.jpg"),  # 2 + 3 + 8 columns: a wide character does not go in halves
        ("\N{CAMERA}" * 6, 8, "...\N{CAMERA}\N{CAMERA}"),
    ],
)
def test_long_names_lose_their_middle(name: str, width: int, shown: str) -> None:
    """The end of a name, where names differ, stays."""
    assert text.shortened(name, width) == shown
    assert text.columns_of(shown) <= width


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (40, "black.gif (stored as it is: palette)"),
        (25, "black.gif (stored as...)"),
        (21, "black.gif (stored...)"),
        (20, "black.gif"),
        (8, "b....gif"),
    ],
)
def test_a_note_goes_before_the_name(width: int, shown: str) -> None:
    """Where there is no room for both the name stays whole as long as it fits."""
    assert text.fitted(text.Noted("black.gif", "stored as it is: palette"), width) == shown
    assert len(shown) <= width
