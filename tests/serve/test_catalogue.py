"""An archive is seen as it is now: what is added, rewritten, damaged or gone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from batchcomp.archive import prune
from batchcomp.serve.catalogue import Catalogue, Folder
from batchcomp.serve.query import Query
from tests.archive.samples import sample_row, three_pictures, write_archive
from tests.index.samples import break_rows
from tests.serve.samples import spoil


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    """Return the catalogue of an archive of three pictures."""
    three_pictures(tmp_path / "a.bca")
    found = Catalogue(tmp_path / "a.bca")
    found.refresh()
    yield found
    found.close()


def names(catalogue: Catalogue, **query: object) -> list[str]:
    return [one.path for one in catalogue.page(Query(**query), 0, 100).items]  # type: ignore[arg-type]


def test_what_is_added_is_seen(catalogue: Catalogue) -> None:
    """A new segment's pictures are there after the next look, and the state differs; without a change it does not."""
    before = catalogue.page(Query(), 0, 100)
    catalogue.refresh()
    assert catalogue.state == before.state
    write_archive(catalogue.archive, [(sample_row("c.jpg"), b"new"), (sample_row("b.jpg", width=9), b"second version")])
    catalogue.refresh()
    after = catalogue.page(Query(), 0, 100)
    assert [one.path for one in before.items] == ["b.jpg", "photos/a.png", "photos/\u00fc 1.tif"]
    assert [one.path for one in after.items] == ["b.jpg", "c.jpg", "photos/a.png", "photos/\u00fc 1.tif"]
    assert after.state != before.state
    old, new = catalogue.versions("b.jpg")
    assert (old.key, old.number, new.number) == (before.items[0].key, 1, 2)
    assert (new.key, new.row and new.row.width) == (after.items[0].key, 9)
    assert catalogue.held(old.key) == old


def test_a_rewritten_archive_is_read_anew_and_keys_still_lead_to_their_pictures(catalogue: Catalogue) -> None:
    """After `prune` old versions are gone, and what stayed is found by the key that it had, wherever it stands now."""
    write_archive(catalogue.archive, [(sample_row("b.jpg", width=9), b"second version")])
    catalogue.refresh()
    (old, _), keys = catalogue.versions("b.jpg"), {one.path: one.key for one in catalogue.page(Query(), 0, 100).items}
    prune(catalogue.archive)
    catalogue.refresh()
    assert names(catalogue) == sorted(keys)
    for place, path in enumerate(sorted(keys)):
        held = catalogue.held(keys[path])
        assert held is not None
        assert held.row is not None
        assert held.path == held.row.path == path
        assert catalogue.around(Query(), keys[path]) == place
    assert catalogue.held(old.key) is None
    assert [one.number for one in catalogue.versions("b.jpg")] == [1]


@pytest.mark.parametrize(
    "key", ["", "-", "zz-1", "1", f"400000-{'0' * 24}", f"-1-{'0' * 24}", f"{2**80:x}-{'0' * 24}", "0" * 24]
)
def test_a_key_that_is_none_leads_nowhere(catalogue: Catalogue, key: str) -> None:
    """Whatever is asked for, there is an answer."""
    assert catalogue.held(key) is None
    assert catalogue.around(Query(), key) is None


def test_before_the_archive_was_read_and_after_the_end_there_is_nothing(tmp_path: Path) -> None:
    """Early and late questions are no errors."""
    three_pictures(tmp_path / "a.bca")
    catalogue = Catalogue(tmp_path / "a.bca")
    assert (catalogue.complete, catalogue.page(Query(), 0, 9).total, catalogue.folders("")) == (False, 0, [])
    catalogue.refresh()
    assert (catalogue.complete, catalogue.page(Query(), 0, 9).total) == (True, 3)
    catalogue.close()
    assert (catalogue.page(Query(), 0, 9).total, catalogue.versions("b.jpg")) == (0, [])


def test_a_damaged_row_is_there_without_what_it_says(catalogue: Catalogue) -> None:
    """It takes the place of the version before it, has a key, and is among the problems."""
    write_archive(catalogue.archive, [(sample_row("b.jpg", width=19), b"second version")])
    break_rows(catalogue.archive, 2, ["b.jpg"])
    catalogue.refresh()
    found = catalogue.page(Query(), 0, 100).items[0]
    assert (found.path, found.row) == ("b.jpg", None)
    held = catalogue.held(found.key)
    assert held is not None
    assert (held.number, "row is damaged" in held.reason) == (2, True)
    assert "a row breaks the rules" in catalogue.problems[0]


def test_pages_and_places(catalogue: Catalogue) -> None:
    """A page is a part of the whole order; the place of a picture is where it stands in it."""
    write_archive(catalogue.archive, [(sample_row(f"n/{n:03}.jpg"), b"%d" % n) for n in range(120)])
    catalogue.refresh()
    part = catalogue.page(Query(folder="n"), 100, 50)
    assert (part.total, len(part.items), part.items[0].path) == (120, 20, "n/100.jpg")
    assert catalogue.around(Query(folder="n"), part.items[5].key) == 105
    assert catalogue.around(Query(text="nothing"), part.items[5].key) is None
    assert catalogue.around(Query(), "0" * 24) is None
    assert catalogue.page(Query(), -5, 2).items == catalogue.page(Query(), 0, 2).items


def test_folders_are_counted_with_all_below(tmp_path: Path) -> None:
    """Each folder right below counts everything in it."""
    paths = ["x.jpg", "a/1.jpg", "a/b/2.jpg", "a/b/c/3.jpg", "B/4.jpg"]
    write_archive(tmp_path / "a.bca", [(sample_row(path), path.encode()) for path in paths])
    catalogue = Catalogue(tmp_path / "a.bca")
    catalogue.refresh()
    assert catalogue.folders("") == [Folder(path="a", pictures=3), Folder(path="B", pictures=1)]
    assert catalogue.folders("a") == [Folder(path="a/b", pictures=2)]
    assert catalogue.folders("a/b/c") == catalogue.folders("nowhere") == []


def test_a_damaged_segment_is_named_and_the_rest_is_there(catalogue: Catalogue) -> None:
    """Its pictures are missing, those of others are not; once it is sound again all are back."""
    write_archive(catalogue.archive, [(sample_row("c.jpg"), b"new")])
    at = (catalogue.archive / "000001.zip").read_bytes().index(b"batchcomp-manifest") + 60
    spoil(catalogue.archive, "000001.zip", at)
    catalogue.refresh()
    assert names(catalogue) == ["c.jpg"]
    assert len(catalogue.problems) == 1
    assert catalogue.problems[0].startswith("000001.zip: ")
    spoil(catalogue.archive, "000001.zip", at)
    catalogue.refresh()
    assert (len(names(catalogue)), catalogue.problems) == (4, ())


def test_a_missing_segment_is_named(catalogue: Catalogue) -> None:
    """A gap in the numbers is told."""
    write_archive(catalogue.archive, [(sample_row("c.jpg"), b"new")])
    (catalogue.archive / "000001.zip").unlink()
    catalogue.refresh()
    assert names(catalogue) == ["c.jpg"]
    assert catalogue.problems == ("000001.zip: the segment is missing",)


def test_an_archive_that_is_gone_is_told_and_what_was_known_stays(catalogue: Catalogue) -> None:
    """A disk that was taken out ends nothing."""
    shutil.rmtree(catalogue.archive)
    catalogue.refresh()
    assert len(names(catalogue)) == 3
    assert "no such archive" in catalogue.problems[0]


def test_a_shared_row_has_a_key_of_its_own(tmp_path: Path) -> None:
    """Two rows of the same content are two pictures."""
    row = sample_row("a.jpg")
    first, second = write_archive(tmp_path / "a.bca", [(row, b"same"), (replace(row, path="b.jpg"), b"same")])
    catalogue = Catalogue(tmp_path / "a.bca")
    catalogue.refresh()
    one, two = catalogue.page(Query(), 0, 2).items
    assert one.key != two.key
    held = catalogue.held(two.key)
    assert held is not None
    assert (held.row, first.path) == (second, "a.jpg")
