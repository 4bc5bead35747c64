"""A picture on disk is complete or absent, where it belongs, and never in place of another."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcomp.errors import FileError, PictureError
from batchcomp.images import save as saving
from batchcomp.images.names import name_problem, shown
from batchcomp.images.picture import Metadata, Picture
from batchcomp.images.save import safe_join, save, save_bytes, write_result

from .make import noise


def test_time_and_permissions_are_set_and_folders_made(tmp_path: Path) -> None:
    """A restored file has the attributes of its source."""
    path = tmp_path / "x/y/a.bin"
    save_bytes(b"abc", path, mtime_ns=1_234_567_890_123_456_789, permissions=0o104640)
    assert path.read_bytes() == b"abc"
    assert path.stat().st_mtime_ns == 1_234_567_890_123_456_789
    assert path.stat().st_mode & 0o7777 == 0o640
    assert os.listdir(path.parent) == ["a.bin"]  # noqa: PTH208


def test_permissions_follow_the_umask_by_default(tmp_path: Path) -> None:
    """Where no permissions are given, the file is made like any other."""
    (tmp_path / "plain").write_bytes(b"")
    save_bytes(b"", tmp_path / "a")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_nothing_is_overwritten_unless_asked(tmp_path: Path) -> None:
    """The message says how to ask."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(
        PictureError, match=r"a: cannot be written \(file exists\); choose another folder with -o, or pass --force"
    ):
        save_bytes(b"new", path)
    assert path.read_bytes() == b"old"
    save_bytes(b"new", path, overwrite=True)
    assert path.read_bytes() == b"new"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_dangling_link_counts_as_a_file(tmp_path: Path) -> None:
    """What it points to is never written."""
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PictureError, match="--force"):
        save_bytes(b"new", tmp_path / "a")
    save_bytes(b"new", tmp_path / "a", overwrite=True)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_during_the_work_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """The race is decided by the file system, with and without hard links."""
    path, fill = tmp_path / "a", saving._fill
    if not links:
        _without_links(monkeypatch)

    def racing(*arguments: object) -> None:
        fill(*arguments)  # type: ignore[arg-type]
        path.write_bytes(b"other")

    monkeypatch.setattr(saving, "_fill", racing)
    with pytest.raises(PictureError, match="--force"):
        save_bytes(b"new", path)
    assert path.read_bytes() == b"other"
    assert len(list(tmp_path.iterdir())) == 1


def _without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)


def test_file_systems_without_hard_links_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ExFAT and network disks have none."""
    _without_links(monkeypatch)
    save_bytes(b"new", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("call", ["fsync", "link", "replace", "utime"])
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_failure_at_any_step_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, overwrite: bool
) -> None:
    """The disk fills up: the old file stays, the new one and the temporary one do not exist."""
    if overwrite:
        (tmp_path / "a").write_bytes(b"old")
    if call == "replace" and not overwrite:
        _without_links(monkeypatch)
    if call == "link" and overwrite:
        call = "replace"

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(PictureError, match=r"no space left on device.*free some space"):
        save_bytes(b"new", tmp_path / "a", overwrite=overwrite, mtime_ns=1)
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert left == ({"a": b"old"} if overwrite else {})


def test_the_folder_is_synced_after_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First the content is safe, then the name."""
    kinds, sync = [], os.fsync

    def noting(descriptor: int) -> None:
        kinds.append(os.fstat(descriptor).st_mode & 0o170000)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    save_bytes(b"new", tmp_path / "a")
    assert kinds == [0o100000, 0o040000]


def test_errors_of_the_file_system_are_one_line(tmp_path: Path) -> None:
    """Bad names, and folders in the way leave nothing behind."""
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / ("n" * 300), tmp_path / "file" / "below", tmp_path / "nul\0"):
        with pytest.raises(PictureError) as caught:
            save_bytes(b"", path)
        assert "\n" not in str(caught.value)
    with pytest.raises(PictureError):
        save_bytes(b"", tmp_path, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_pictures_that_do_not_fit_the_format_are_refused(tmp_path: Path) -> None:
    """The message names a format that fits."""
    long = Picture(pixels=np.zeros((1, 65_501, 1), np.uint8))
    for kind in ("jpeg", "webp"):
        with pytest.raises(PictureError, match="choose --format png"):
            save(long, tmp_path / "a", format=kind)
    with pytest.raises(PictureError, match=r"cannot be encoded .*choose --format png"):
        save(Picture(pixels=noise(2, 2), metadata=Metadata(exif=bytes(70_000))), tmp_path / "a", format="jpeg")
    with pytest.raises(PictureError, match="choose one of png, jpeg, webp"):
        save(long, tmp_path / "a", format="bmp")
    save(long, tmp_path / "a", format="png")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "../a", "a/../b", "a//b", "a/", "./a", "C:a", "c:/a", "a\\b", "a\0b", "\udcff"],
)
def test_names_are_distrusted(tmp_path: Path, name: str) -> None:
    """A name that could lead elsewhere is refused."""
    with pytest.raises(PictureError, match="forged"):
        safe_join(tmp_path, name)


@given(st.text())
def test_a_name_that_passes_stays_below_the_root(name: str) -> None:
    """Whatever is accepted is below the folder, and every name can be shown."""
    if name_problem(name) is None:
        assert os.path.normpath(f"/root/{name}") == f"/root/{name}"
    assert shown(name).isprintable()


def test_links_must_not_lead_out_of_the_root(tmp_path: Path) -> None:
    """Links inside the output folder may point inside it only."""
    root = tmp_path / "root"
    (root / "inside").mkdir(parents=True)
    (root / "out").symlink_to(tmp_path, target_is_directory=True)
    (root / "in").symlink_to(root / "inside", target_is_directory=True)
    (root / "loop").symlink_to(root / "loop")
    assert safe_join(root, "in/a.png") == root / "in/a.png"
    assert safe_join(root, "new/folder/a.png") == root / "new/folder/a.png"
    for name in ("out/a.png", "out/deeper/a.png"):
        with pytest.raises(PictureError, match="leads out of"):
            safe_join(root, name)
    with pytest.raises(PictureError):
        save_bytes(b"", safe_join(root, "loop/a.png"))


def test_a_root_that_is_itself_a_link_is_fine(tmp_path: Path) -> None:
    """The user's own folder may be a link."""
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "real", target_is_directory=True)
    assert safe_join(tmp_path / "root", "a/b.png") == tmp_path / "root/a/b.png"


@pytest.mark.parametrize("mtime_ns", [-(2**63) * 10**9, 2**63 * 10**9 - 1, 2**80, 15_000_000_000 * 10**9])
def test_a_year_that_the_disk_does_not_have_stops_nothing(tmp_path: Path, mtime_ns: int) -> None:
    """The file is written; its time is set where the system can."""
    save_bytes(b"data", tmp_path / "a", mtime_ns=mtime_ns)
    assert (tmp_path / "a").read_bytes() == b"data"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EISDIR])
def test_the_one_file_of_a_command_is_told_without_the_options_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A page or a drawing that the disk refuses ends a command with 1; no such command has -o."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refused)
    with pytest.raises(FileError, match="cannot be written") as caught:
        write_result(b"new", tmp_path / "a")
    assert caught.value.exit_code == 1
    assert " -o" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_the_one_file_of_a_command_replaces_nothing_unasked(tmp_path: Path) -> None:
    """Then the advice is another name."""
    write_result(b"old", tmp_path / "a")
    with pytest.raises(FileError, match="move it away or choose another name"):
        write_result(b"new", tmp_path / "a")
    write_result(b"new", tmp_path / "a", overwrite=True)
    assert (tmp_path / "a").read_bytes() == b"new"
