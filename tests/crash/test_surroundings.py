"""Disks that are full, folders that are read-only or gone, files that change, and runs that meet."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, ArchiveWriter, verify
from batchcomp.errors import ArchiveError, ArchiveLockedError
from tests.archive.samples import sample_row, write_archive

from .conftest import Server
from .scenario import PICTURES, contents, make_old, prune_all, segments, write_all

NOBODY = 65534


@pytest.mark.skipif(os.name == "nt", reason="there is no RLIMIT_FSIZE")
@pytest.mark.parametrize("limit", [0, 100, 700, 1500, 2200, 3000, 4500])
def test_a_disk_that_is_full(server: Server, tmp_path: Path, limit: int) -> None:
    """Whatever fits is kept and sound; the run ends with one error, and a larger disk completes it."""
    folder = tmp_path / "x.bca"
    assert server.run("write", folder, limit=limit) in ({1} if limit < 4500 else {0, 1}), server.said
    assert "Traceback" not in server.said
    if list(folder.glob("*.zip")):
        assert verify(folder).ok
    write_all(folder)
    assert verify(folder).ok
    assert len(contents(folder)) == len(PICTURES)


@pytest.mark.skipif(os.name == "nt", reason="there is no RLIMIT_FSIZE")
@pytest.mark.parametrize("limit", [0, 500, 1200, 2000])
def test_a_disk_that_is_full_while_pruning(server: Server, tmp_path: Path, limit: int) -> None:
    """Pruning needs room for one segment; where there is none, the archive stays as it is."""
    folder = tmp_path / "x.bca"
    make_old(folder)
    before = contents(folder)
    server.run("prune", folder, limit=limit)
    assert verify(folder).ok
    assert contents(folder).items() <= before.items()
    prune_all(folder)
    assert verify(folder).ok


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of 64 KiB, where the system lets us make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if not sys.platform.startswith("linux") or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this system does not let us make a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_small_disk(small_disk: Path) -> None:
    """ENOSPC from a real file system: what was committed before is sound."""
    folder = small_disk / "x.bca"
    with pytest.raises(ArchiveError, match="No space left on device; free some space"):
        write_archive(folder, [(sample_row(f"{n}.png"), bytes(9000)) for n in range(20)], segment_bytes=15000)
    assert verify(folder).ok
    assert 2 <= len(list(ArchiveReader.open(folder).rows())) < 8


@pytest.mark.skipif(os.name == "nt", reason="permissions differ")
def test_a_folder_that_is_read_only(server: Server) -> None:
    """One error that says what to do, nothing is changed, and reading works."""
    with tempfile.TemporaryDirectory() as made:  # pytest's own folders are closed to other users
        folder = Path(made) / "x.bca"
        make_old(folder)
        Path(made).chmod(0o755)
        folder.chmod(0o555)
        user = {"user": NOBODY} if os.geteuid() == 0 else {}
        before = segments(folder)
        for run in ("write", "prune"):
            assert server.run(run, folder, **user) == 1, server.said
        assert server.said.count("choose a folder that can be written to") >= 2
        assert server.run("write", Path(made) / "new.bca", **user) == (1 if user else 0)
        assert segments(folder) == before
        assert verify(folder).ok
        folder.chmod(0o755)


def test_a_folder_that_goes_away(tmp_path: Path) -> None:
    """An archive that is deleted while it is written ends the run with an error that names it."""
    folder = tmp_path / "x.bca"
    gone = pytest.raises(ArchiveError, match=r"x\.bca.*check that the folder still exists")
    with gone, ArchiveWriter(folder, segment_bytes=300) as writer:
        writer.add(sample_row("a.png"), b"data")
        shutil.rmtree(folder)
        for number in range(3):
            writer.add(sample_row(f"{number}.png"), b"data" * 100)
    write_archive(folder, [(sample_row("a.png"), b"data")])
    assert verify(folder).ok


def test_two_writers_at_once(tmp_path: Path) -> None:
    """Of writers that start together each waits its turn with `lock_wait`; nothing of any of them is lost."""
    folder, problems = tmp_path / "x.bca", list[object]()

    def write(name: str) -> None:
        try:
            for number in range(5):
                write_archive(folder, [(sample_row(f"{name}{number}"), name.encode())], lock_wait=60)
        except Exception as error:  # noqa: BLE001  # told by the main thread
            problems.append(error)

    writers = [threading.Thread(target=write, args=[name]) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert problems == []
    assert len(list(ArchiveReader.open(folder).rows())) == 15
    assert verify(folder).ok


def test_waiting_has_an_end(tmp_path: Path) -> None:
    """`lock_wait` is in seconds; when they are over, the error names who holds the lock, where and since when."""
    with ArchiveWriter(tmp_path / "x.bca") as writer:
        writer.add(sample_row(), b"data")
        with pytest.raises(ArchiveLockedError, match=rf"process {os.getpid()} on .+ \(since 2\d+-.*--lock-wait"):
            ArchiveWriter(tmp_path / "x.bca", lock_wait=0.2).__enter__()


def test_a_stale_lock_is_no_lock(tmp_path: Path) -> None:
    """What a dead process left of its lock, on this machine or another, stops nobody."""
    folder = tmp_path / "x.bca"
    write_archive(folder, [(sample_row("a.png"), b"data")])
    (folder / ".lock").write_bytes(b"")
    (folder / ".lock.holder").write_text('{"host": "another", "pid": 1, "since": "2001-01-01T00:00:00Z"}')
    write_archive(folder, [(sample_row("b.png"), b"data")])
    assert len(list(ArchiveReader.open(folder).rows())) == 2
    assert not (folder / ".lock.holder").exists()


def test_a_source_that_changes_while_it_is_read(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that grows under our hands fails alone, and the next run takes it as it is then."""
    from batchcomp.images import load  # noqa: PLC0415  # needs no torch, but this folder's other tests neither
    from batchcomp.pipeline.compress import compress_archive  # noqa: PLC0415
    from batchcomp.pipeline.records import tally  # noqa: PLC0415
    from batchcomp.settings import CompressSettings  # noqa: PLC0415
    from tests.cli import samples  # noqa: PLC0415

    for name in ("a.png", "b.png", "c.png"):
        samples.save(tmp_path / "photos" / name, samples.image(seed=ord(name[0])))
    settings = CompressSettings(
        paths=(tmp_path / "photos",), archive=tmp_path / "x.bca", model=tiny_model, jobs=1, device="cpu", isolate=False
    )
    real, touched = load.os.fstat, list[Path]()

    def growing(descriptor: int) -> os.stat_result:
        status, path = real(descriptor), Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.name == "b.png" and not touched:
            touched.append(path)
            with path.open("ab") as other:
                other.write(b"more")
        return status

    if not Path("/proc/self/fd").exists():
        pytest.skip("there is no /proc to tell files apart by")
    with monkeypatch.context() as patch:
        patch.setattr(load.os, "fstat", growing)
        failures = tally(compress_archive(settings)).failures
    assert [failure.name for failure in failures] == ["b.png"]
    assert "changed while it was read" in failures[0].reason
    assert [row.path for row in ArchiveReader.open(tmp_path / "x.bca").rows()] == ["a.png", "c.png"]
    assert not tally(compress_archive(settings)).failures
    assert len(list(ArchiveReader.open(tmp_path / "x.bca").rows())) == 3
