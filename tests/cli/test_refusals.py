"""What the system refuses ends every command with one line and exit code 1."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from batchcomp.cli.refusals import refusal
from tests.cli.conftest import Run

LONG = "a" * 300


@pytest.mark.skipif(sys.platform == "win32", reason="Windows says that there is no such file")
@pytest.mark.parametrize(
    "words",
    [
        ["decode", "in.bca", "-o", LONG],
        ["decode", LONG],
        ["unpack", LONG],
        ["unpack", "in.bca", "-o", LONG],
        ["report", LONG],
        ["serve", LONG],
        ["export", "in.bca", "--parquet", LONG],
        ["preview", LONG],
        ["compress", LONG],
        ["verify", LONG],
        ["train", "joint", LONG, "--run", "run"],
    ],
)
def test_a_name_that_is_too_long(run: Run, compress: Run, photos: Path, words: list[str]) -> None:
    """No command shows a traceback, whichever of its arguments has the name."""
    compress(photos, "-o", "in.bca", "--no-measure")
    result = run(*words)
    assert result.code in {1, 2, 10}
    assert "Traceback" not in result.err
    assert LONG in result.err.replace("\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a folder in which somebody works")
@pytest.mark.parametrize("words", [["compress", "."], ["decode", "x.bca"], ["unpack", "x.bca"]])
def test_a_folder_that_is_gone(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """Whoever works in a deleted folder is told so, or that nothing is there."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    result = run(*words)
    assert result.code in {1, 2, 10}
    assert "Traceback" not in result.err
    assert result.err.strip()


def test_the_line_says_where_why_and_what_to_do() -> None:
    """What names neither a file nor a trouble of disks is a fault of ours, and stays loud."""
    refused = PermissionError(errno.EACCES, os.strerror(errno.EACCES), "a/b")
    assert refusal(refused) == f"a/b: {os.strerror(errno.EACCES)}; check who may read and write there"
    assert refusal(OSError(errno.EIO, os.strerror(errno.EIO), "c")) is not None
    assert refusal(OSError(errno.EIO, os.strerror(errno.EIO))) == f"{os.strerror(errno.EIO)}; check the disk"
    assert refusal(OSError(errno.EBADF, os.strerror(errno.EBADF))) is None
    assert refusal(OSError("something")) is None
