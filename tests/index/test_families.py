"""Which paths `decode` might restore under each other's names."""

from __future__ import annotations

import pytest

from batchcomp.index.families import family_of, folders_above, row_family, same_folder


@pytest.mark.parametrize("name", ["IMG_0001.jpg", "img_0001.JPG", "0001", ".hidden", "A~2.png", "A.\xe9.png", "l" * 39])
def test_plain_names_have_no_number(name: str) -> None:
    """ASCII up to the first dot or tilde, all capitals or all small letters: they are found by their paths."""
    assert row_family(f"Some Folder/{name}") is None
    assert row_family(name) is None


@pytest.mark.parametrize("name", ["Img_0001.jpg", "\xe9.png", "E\u0301.png", "\u212a.png", "50%25.png", "l" * 40])
def test_others_have_that_of_their_family(name: str) -> None:
    """Mixed letters, other than ASCII, escapes, and names that are cut."""
    assert row_family(f"Some Folder/{name}") == family_of(f"some folder/{name.lower()}")


def test_a_family_is_what_a_disk_takes_for_one_name() -> None:
    """Without regard to case, to how accents are written, and to what follows the first dot or tilde."""
    assert len({family_of(path) for path in ("F/\xe9.png", "f/E\u0301", "F/\xc9~2.jpg", "f/\xe9.b.c")}) == 1
    assert len({family_of(path) for path in ("a", "b", "F/a", "F/b", "F.x/a", "F/a/a")}) == 6
    assert same_folder("F/\xe9", "f/E\u0301")
    assert not same_folder("F", "F.x")
    assert list(folders_above("a/b/c")) == ["a/b", "a"]
