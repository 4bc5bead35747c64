"""An archive held against its folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli import samples
from tests.cli.conftest import Run


@pytest.fixture
def archive(compress: Run, photos: Path) -> Path:
    """Return an archive of the photos."""
    assert compress(photos, "--no-measure").code == 0
    return photos.with_name("photos.bca")


def lines(run: Run, *arguments: object) -> list[str]:
    result = run("diff", *arguments)
    assert result.code == 0
    return sorted(result.out.splitlines())


def test_nothing_differs(run: Run, archive: Path, photos: Path) -> None:
    """Only the summary is printed, and --quiet leaves that out; touched files are the same, others no pictures."""
    os.utime(photos / "a.png", ns=(0, 10**18))
    (photos / "notes.txt").write_text("no picture")
    assert lines(run, archive, photos) == [f"{archive}: same 3, new 0, changed 0, missing 0, moved 0"]
    assert lines(run, archive, photos, "--quiet") == []


def test_what_differs_is_named(run: Run, archive: Path, photos: Path) -> None:
    """New, changed, missing and moved ones; a copy is new, not moved."""
    samples.save(photos / "a.png", samples.image(50, 50, seed=8))
    (photos / "b.jpg").rename(photos / "sub" / "b2.jpg")
    shutil.copy(photos / "sub" / "c.png", photos / "copy.png")
    assert lines(run, archive, photos) == [
        f"{archive}: same 1, new 1, changed 1, missing 0, moved 1",
        "changed: a.png",
        "moved: b.jpg -> sub/b2.jpg",
        "new: copy.png",
    ]
    (photos / "sub" / "b2.jpg").unlink()
    assert "missing: b.jpg" in lines(run, archive, photos)
    assert archive.is_dir()


def test_checksum_finds_what_size_and_time_hide(run: Run, archive: Path, photos: Path) -> None:
    """As with compress."""
    status = (photos / "a.png").stat()
    data = bytearray((photos / "a.png").read_bytes())
    data[-20] ^= 1
    (photos / "a.png").write_bytes(data)
    os.utime(photos / "a.png", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert len(lines(run, archive, photos)) == 1
    assert "changed: a.png" in lines(run, archive, photos, "--checksum")


def test_everything_is_missing(run: Run, archive: Path, photos: Path) -> None:
    """An empty folder is no error of diff; one that is not there is."""
    shutil.rmtree(photos)
    assert run("diff", archive, photos).code == 2
    photos.mkdir()
    assert [line for line in lines(run, archive, photos) if "missing: " in line] == [
        "missing: a.png",
        "missing: b.jpg",
        "missing: sub/c.png",
    ]


def test_a_folder_that_cannot_be_read_is_not_missing(
    run: Run, archive: Path, photos: Path, lock_sub: Callable[[], None]
) -> None:
    """It fails, with exit code 3, and nothing is said of the pictures in it but that."""
    lock_sub()
    result = run("diff", archive, photos)
    assert result.code == 3
    assert result.err.count("\n") == 1
    assert "folder cannot be read" in result.err
    assert result.out == f"{archive}: same 2, new 0, changed 0, missing 0, moved 0, failed 1\n"


def test_an_earlier_state(run: Run, compress: Run, archive: Path, photos: Path) -> None:
    """The folder now, against the archive as it was: what came since is new."""
    samples.save(photos / "later.png", samples.image(70, 70, seed=6))
    assert compress(photos, "--no-measure").code == 0
    assert lines(run, archive, photos, "--at", "2999-01-01")[0].endswith("same 4, new 0, changed 0, missing 0, moved 0")
    assert run("diff", archive, photos, "--at", "1999-01-01").code == 2
    assert run("diff", archive, photos, "--at", "2026-01-01", "--at", "2026-01-02").code == 2


def test_damage_is_no_difference(run: Run, archive: Path, photos: Path) -> None:
    """It is said, with exit code 4."""
    path = archive / "000001.zip"
    path.write_bytes(path.read_bytes()[:-5])
    assert run("diff", archive, photos).code == 4


def test_the_wrong_way_round_is_told(run: Run) -> None:
    """A folder before its archive is refused with the command that was meant."""
    result = run("diff", "photos", "photos.bca")
    assert result.code == 2
    assert "the archive comes first: `batchcomp diff photos.bca photos`" in result.err
