"""Names are distrusted where they enter and where they leave."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcomp.archive import ArchiveWriter
from batchcomp.archive.names import NOT_DERIVABLE, clash_key, name_problem, rename_number, unique_entry
from batchcomp.errors import PictureError

from .samples import sample_row

BAD = [
    "", "/etc/passwd", "..", "../a", "a/../b", "a/./b", "a//b", "a/", "C:x", "c:/x", "a\\b", "\\\\host\\x", "a\0b",
    "a\nb", "a\x1b[31mb", "a\x7f", "a\x85b", "x" * 256, "ü" * 128, "a/" * 2100 + "b", "\udcff.jpg",
]  # fmt: skip
GOOD = ["a", "a.jpg", "ü/日本.png", "...", ".hidden", "12:30.png", "a~2.jpg", "x" * 255, "con.jpg", "-rf", "[red]"]


@pytest.mark.parametrize("name", BAD)
def test_unsafe_names_are_a_picture_error(tmp_path: Path, name: str) -> None:
    """The batch can go on without a picture whose name no archive may hold; nothing of it is written."""
    with ArchiveWriter(tmp_path / "x.bca") as writer, pytest.raises(PictureError, match=r"cannot be archived.*rename"):
        writer.add(sample_row(name), b"data")
    assert not (tmp_path / "x.bca").exists()


@pytest.mark.parametrize("name", GOOD)
def test_odd_but_safe_names_are_allowed(name: str) -> None:
    """What POSIX allows and no system reads as another place is kept as it is."""
    assert name_problem(name) == ""


@given(st.text(max_size=30))
def test_a_safe_name_stays_below_its_folder(name: str) -> None:
    """No name that passes can lead out of the folder it is joined to."""
    if not name_problem(name):
        target = os.path.normpath(os.path.join("/root/folder", name))  # noqa: PTH118
        assert target == "/root/folder/" + name


@given(st.lists(st.text("aA.~2/ü", min_size=1, max_size=6), max_size=12))
def test_entries_are_unique_and_lead_back(naturals: list[str]) -> None:
    """However names clash, all entries differ, and the rename number says how each came about."""
    taken: set[str] = set()
    for natural in naturals:
        entry = unique_entry(natural, taken)
        assert clash_key(entry) not in taken
        assert rename_number(natural, entry) != NOT_DERIVABLE
        taken.add(clash_key(entry))


def test_a_shortened_entry_does_not_lead_back() -> None:
    """An entry that was cut to fit says that its path cannot be derived."""
    natural = "x" * 255 + ".jpg"
    assert rename_number(natural, unique_entry(natural, set())) == NOT_DERIVABLE
