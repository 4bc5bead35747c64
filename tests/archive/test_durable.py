"""Every change of the disk can fail, and then the old state stays."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from batchcomp.archive import durable

from .disturb import fail_at


def test_segments_are_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`publish` refuses a name that is taken, with hard links and without."""
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "old").write_bytes(b"old")
    for link in (os.link, _no_links):
        monkeypatch.setattr(os, "link", link)
        with pytest.raises(FileExistsError):
            durable.publish(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old").read_bytes() == b"old"
    durable.publish(tmp_path / "new", tmp_path / "other")
    assert not (tmp_path / "new").exists()


def _no_links(*_: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def test_atomic_write_keeps_the_old_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails half-way leaves the old file and nothing else."""
    durable.atomic_write(tmp_path / "file", b"old")
    fail_at(monkeypatch, "write", 1, OSError(errno.EIO, "Input/output error"), once=True)
    with pytest.raises(OSError, match="Input/output"):
        durable.atomic_write(tmp_path / "file", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]
