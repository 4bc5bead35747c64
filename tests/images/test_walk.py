"""The files of a run: stable order, right names, nothing twice, nothing that is not asked for."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from batchcomp.errors import UsageError
from batchcomp.images.walk import Item, NoFile, SkippedLink, WalkFailure, locator, walk


def tree(root: Path, *names: str) -> Path:
    """Make files that hold their own names below `root`."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(os.fsencode(name))
    return root


def names(*paths: Path, **options: list[str] | list[Path] | bool) -> list[str]:
    found = list(walk(paths, **options))  # type: ignore[arg-type]
    assert all(isinstance(item, Item | SkippedLink | NoFile) for item in found)
    return [item.name for item in found if isinstance(item, Item)]


def test_order_is_by_the_bytes_of_names_folder_by_folder(tmp_path: Path) -> None:
    """The order is the same on every system and in every language."""
    tree(tmp_path, "b/2.jpg", "b/10.jpg", "a.jpg", "B.jpg", "é.jpg", "c.jpg")
    assert names(tmp_path) == ["B.jpg", "a.jpg", "b/10.jpg", "b/2.jpg", "c.jpg", "é.jpg"]


def test_an_item_says_what_the_file_is(tmp_path: Path) -> None:
    """Path, name, size, time and permissions are the file's."""
    path = tree(tmp_path, "d/a.jpg") / "d/a.jpg"
    path.chmod(0o640)
    os.utime(path, ns=(1, 1_234_567_890_123_456_789))
    (item,) = walk([tmp_path])
    assert item == Item(path.resolve(), "d/a.jpg", 7, 1_234_567_890_123_456_789, 0o640)


def test_one_file_has_its_own_name_and_several_paths_are_kept_apart(tmp_path: Path) -> None:
    """Several paths are each below their own name."""
    tree(tmp_path, "x/1.jpg", "y/1.jpg", "z.jpg")
    assert names(tmp_path / "z.jpg") == ["z.jpg"]
    assert names(tmp_path / "y", tmp_path / "z.jpg", tmp_path / "x") == ["y/1.jpg", "z.jpg", "x/1.jpg"]
    assert names(tmp_path / "x", tmp_path / "x", tmp_path / "y" / ".." / "x") == ["1.jpg"]


def test_two_sources_of_one_name_are_refused_by_name(tmp_path: Path) -> None:
    """The message names both."""
    tree(tmp_path, "p/x/1.jpg", "q/x/1.jpg")
    with pytest.raises(UsageError, match=r"p/x.*q/x.*separately"):
        walk([tmp_path / "p/x", tmp_path / "q/x"])


def test_missing_special_and_archive_paths_are_refused_at_the_call(tmp_path: Path) -> None:
    """Nothing is walked before all paths are known to be usable."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "old.bca").mkdir()
    for name, reason in {"gone": "check the path", "pipe": "neither a file", "old.bca": "archive already"}.items():
        with pytest.raises(UsageError, match=rf"{name}.*{reason}"):
            walk([tmp_path / name])


def test_links_are_not_followed_but_a_named_one_is_resolved(tmp_path: Path) -> None:
    """A folder that links to itself and a link to a file are passed over."""
    tree(tmp_path, "real/a.jpg")
    (tmp_path / "real/again").symlink_to(tmp_path / "real", target_is_directory=True)
    (tmp_path / "real/b.jpg").symlink_to(tmp_path / "real/a.jpg")
    (tmp_path / "latest").symlink_to(tmp_path / "real", target_is_directory=True)
    assert names(tmp_path / "latest") == ["a.jpg"]
    assert names(tmp_path / "latest", tree(tmp_path, "c.jpg") / "c.jpg") == ["latest/a.jpg", "c.jpg"]


def test_links_are_followed_when_asked(tmp_path: Path) -> None:
    """Files and folders come under the link's name, with the size of what it points to."""
    tree(tmp_path, "real/a.jpg", "outside/deep/b.jpg")
    (tmp_path / "real/c.jpg").symlink_to(tmp_path / "real/a.jpg")
    (tmp_path / "real/more").symlink_to(tmp_path / "outside", target_is_directory=True)
    found = {item.name: item.size for item in walk([tmp_path / "real"], follow_symlinks=True) if isinstance(item, Item)}
    assert found == {
        "a.jpg": len("real/a.jpg"),
        "c.jpg": len("real/a.jpg"),
        "more/deep/b.jpg": len("outside/deep/b.jpg"),
    }
    assert names(tmp_path / "real") == ["a.jpg"]


def test_links_in_circles_end(tmp_path: Path) -> None:
    """A folder that links to itself, to its parent, or to one that links back is entered through links once."""
    tree(tmp_path, "root/a.jpg", "root/d/b.jpg", "other/c.jpg")
    for link, target in {
        "root/self": "root",
        "root/d/up": "root",
        "root/d/here": "root/d",
        "other/back": "root/d",
    }.items():
        (tmp_path / link).symlink_to(tmp_path / target, target_is_directory=True)
    (tmp_path / "root/other").symlink_to(tmp_path / "other", target_is_directory=True)
    found = names(tmp_path / "root", follow_symlinks=True)
    assert found == ["a.jpg", "d/b.jpg", "d/here/b.jpg", "other/c.jpg"]


def test_a_ladder_of_links_does_not_double_at_each_rung(tmp_path: Path) -> None:
    """Thirty folders with two links each to the next would be a thousand million ways to walk."""
    for number in range(30):
        tree(tmp_path, f"{number:02d}/p.jpg")
        for link in ("x", "y") if number < 29 else ():
            (tmp_path / f"{number:02d}" / link).symlink_to(tmp_path / f"{number + 1:02d}", target_is_directory=True)
    assert len(names(tmp_path, follow_symlinks=True)) <= 60


def test_links_to_nothing_and_to_archives(tmp_path: Path) -> None:
    """A broken link is told when links are followed; an archive is passed over by whatever name."""
    tree(tmp_path, "photos/a.jpg", "old.bca/000001.zip")
    (tmp_path / "photos/gone.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "photos/loop.jpg").symlink_to(tmp_path / "photos/loop.jpg")
    (tmp_path / "photos/kept").symlink_to(tmp_path / "old.bca", target_is_directory=True)
    found = list(walk([tmp_path / "photos"], follow_symlinks=True))
    assert [item.name for item in found if isinstance(item, Item)] == ["a.jpg"]
    assert [failure.reason for failure in found if isinstance(failure, WalkFailure)] == [
        "broken link; remove it or exclude it"
    ] * 2
    assert names(tmp_path / "photos") == ["a.jpg"]


def test_archives_temporary_special_and_skipped_files_are_passed_over(tmp_path: Path) -> None:
    """They are no pictures of the user's."""
    tree(tmp_path, "a.jpg", "old.bca/000001.zip", ".batchcomp-12.tmp", "out/b.jpg", "c.jpg", ".hidden.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    assert names(tmp_path, skip=[tmp_path / "out", tmp_path / "c.jpg"]) == [".hidden.jpg", "a.jpg"]


def test_include_and_exclude(tmp_path: Path) -> None:
    """A file must match an include, and must not match an exclude."""
    tree(tmp_path, "a.jpg", "b.png", "raw/c.jpg", "2024/raw/d.jpg", "2024/e.jpg")
    assert names(tmp_path, include=["*.jpg"], exclude=["raw"]) == ["2024/e.jpg", "a.jpg"]
    assert names(tmp_path, exclude=["/raw"]) == ["2024/e.jpg", "2024/raw/d.jpg", "a.jpg", "b.png"]
    assert names(tmp_path, include=["2024/**"]) == ["2024/e.jpg", "2024/raw/d.jpg"]
    assert names(tmp_path / "a.jpg", exclude=["a.*"]) == []


def test_a_folder_that_cannot_be_read_is_a_record_and_the_rest_goes_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One bad folder does not end a run."""
    tree(tmp_path, "a/1.jpg", "b/2.jpg")
    scan = os.scandir

    def refusing(folder: str) -> object:
        if folder.endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    failure, item = walk([tmp_path])
    assert isinstance(failure, WalkFailure)
    assert failure.path == tmp_path.resolve() / "a"
    assert "Permission denied" in failure.reason
    assert isinstance(item, Item)


def test_names_that_some_system_cannot_bear_are_escaped(tmp_path: Path) -> None:
    """They are archived all the same, and lead back to their files; patterns know them by either name."""
    names = {
        "a%5Cb.jpg": "a\\b.jpg",
        "%FF.jpg": os.fsdecode(b"\xff.jpg"),
        "new%0Aline/x": "new\nline/x",
        "fine": "fine",
    }
    tree(tmp_path, *names.values())
    assert {item.name: item.path for item in walk([tmp_path]) if isinstance(item, Item)} == {
        stored: tmp_path.resolve() / real for stored, real in names.items()
    }
    locate = locator([tmp_path])
    assert {stored: locate(stored) for stored in names} == {name: tmp_path.resolve() / names[name] for name in names}
    for pattern in ("a\\b.jpg", "a%5Cb.jpg"):
        (item,) = walk([tmp_path], include=[pattern])
        assert isinstance(item, Item)
        assert item.name == "a%5Cb.jpg"
    assert [item.name for item in walk([tmp_path], exclude=["*.jpg", "new\nline"]) if isinstance(item, Item)] == [
        "fine"
    ]


def test_a_folder_named_on_the_command_line_is_escaped_too(tmp_path: Path) -> None:
    """Several paths: each one's own name begins the names in the archive."""
    tree(tmp_path, "a\\b/x.jpg", "c.jpg")
    paths = [tmp_path / "a\\b", tmp_path / "c.jpg"]
    assert [item.name for item in walk(paths) if isinstance(item, Item)] == ["a%5Cb/x.jpg", "c.jpg"]
    assert locator(paths)("a%5Cb/x.jpg") == tmp_path.resolve() / "a\\b/x.jpg"


def test_folders_deeper_than_pythons_stack_are_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hostile depth of folders is no crash."""
    monkeypatch.chdir(tmp_path)
    for _ in range(1200):
        Path("d").mkdir()
        os.chdir("d")
    try:
        assert list(walk([tmp_path])) == []
    finally:  # such a tree is more than shutil.rmtree of pytest can remove
        for _ in range(1200):
            os.chdir("..")
            Path("d").rmdir()


def test_links_that_are_not_followed_are_named(tmp_path: Path) -> None:
    """To files, to folders and to nothing; not those that are excluded, nor links to archives by their names."""
    tree(tmp_path, "real/a.jpg", "old.bca/000001.zip")
    for link, target in {"b.jpg": "real/a.jpg", "more": "real", "gone.jpg": "nothing", "x.bca": "old.bca"}.items():
        (tmp_path / "real" / link).symlink_to(tmp_path / target)
    found = [one for one in walk([tmp_path / "real"]) if isinstance(one, SkippedLink)]
    assert [(one.name, one.path) for one in found] == [
        (name, tmp_path / "real" / name) for name in ("b.jpg", "gone.jpg", "more")
    ]
    found = [one for one in walk([tmp_path / "real"], exclude=["*.jpg"]) if isinstance(one, SkippedLink)]
    assert [one.name for one in found] == ["more"]


@pytest.mark.skipif(os.name == "nt", reason="pipes and sockets")
@pytest.mark.parametrize("follow", [False, True])
def test_what_is_neither_file_nor_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, follow: bool
) -> None:
    """It is never opened, which could wait for ever; what is excluded stays so."""
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    for name in ("a.jpg", "._b.jpg", "x.tmp"):
        os.mkfifo(name)
    (tmp_path / "._c.jpg").symlink_to("a.jpg")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("s.png")
        found = list(walk([tmp_path], exclude=["*.tmp"], follow_symlinks=follow))
    kinds = {one.name: one.kind if isinstance(one, NoFile) else type(one).__name__ for one in found}
    linked = "pipe" if follow else "SkippedLink"
    assert kinds == {"._b.jpg": "pipe", "._c.jpg": linked, "a.jpg": "pipe", "s.png": "socket"}
