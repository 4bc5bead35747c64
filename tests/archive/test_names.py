"""Names are distrusted where they enter and where they leave."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcomp.archive import ArchiveWriter, verify
from batchcomp.archive.names import NOT_DERIVABLE, clash_key, entry_problem, name_problem, rename_number, unique_entry
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


@given(st.lists(st.text("aA.~2/ü", min_size=1, max_size=6).filter(lambda name: not name_problem(name)), max_size=12))
def test_entries_are_unique_and_lead_back(naturals: list[str]) -> None:
    """However names clash, all entries differ, and the rename number says how each file's own name came about."""
    taken: set[str] = set()
    for natural in naturals:
        entry = unique_entry(natural, taken)
        assert clash_key(entry) not in taken
        if entry.rpartition("/")[0] == natural.rpartition("/")[0]:  # a folder that got a number does not lead back
            assert rename_number(natural, entry) != NOT_DERIVABLE
        taken.add(clash_key(entry))


def test_a_shortened_entry_does_not_lead_back() -> None:
    """An entry that was cut to fit says that its path cannot be derived."""
    natural = "x" * 255 + ".jpg"
    assert rename_number(natural, unique_entry(natural, set())) == NOT_DERIVABLE


def test_long_names_of_any_part_are_cut_and_told_apart() -> None:
    """An entry and each folder above it has at most 255 bytes, the whole 4,096; no two meet."""
    long = ["x" * 255 + "c.jpg", "ü" * 128 + "/c.jpg", "%FF" * 255 + "/c.jpg", ("%FF" * 200 + "/") * 19 + "c.jpg"]
    taken: set[str] = set()
    for natural in [one.replace("c.jpg", f"c{number}.jpg") for one in long for number in range(3)]:
        entry = unique_entry(natural, taken)
        assert entry_problem(entry) == ""
        assert entry.endswith(".jpg")
        taken.add(clash_key(entry))
    assert len(taken) == 3 * len(long)


def test_the_limits_are_those_of_what_a_name_stands_for() -> None:
    """A file's name of 255 bytes may be escaped to 765; an entry may not be that long."""
    assert name_problem("%FF" * 255) == ""
    assert "longer" in name_problem("%FF" * 256)
    assert "longer" in entry_problem("%FF" * 86)


def test_a_file_and_a_folder_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    """`unzip` could not make both, in whatever order they come."""
    for number, paths in enumerate(
        (["trip", "trip.jpg/a.png"], ["TRIP.jpg/a.png", "trip"], ["a", "a.jpg/b/c", "a.jpg"])
    ):
        folder = tmp_path / f"{number}.bca"
        with ArchiveWriter(folder) as writer:
            entries = {writer.add(sample_row(path), b"data").entry for path in paths}
        above = {str(parent) for entry in entries for parent in PurePosixPath(entry).parents}
        assert not above & entries
        assert len(entries) == len(paths)
        assert not verify(folder).damage
