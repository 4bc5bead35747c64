"""There is one writer at a time."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, ArchiveWriter
from batchcomp.errors import ArchiveLockedError

from .disturb import start_holder
from .samples import sample_row, write_archive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "x.bca"


def test_a_second_writer_is_told_who_holds_the_lock(folder: Path) -> None:
    """Another process' lock is exit code 11 and names it; readers are not disturbed; afterwards the lock is free."""
    with start_holder(folder) as holder:
        with pytest.raises(ArchiveLockedError, match=rf"process {holder.pid} on .* \(since 2") as caught:
            ArchiveWriter(folder, lock_wait=0.1).__enter__()
        assert caught.value.exit_code == 11
        assert [row.segment for row in ArchiveReader.open(folder).rows()] == [1]
    with ArchiveWriter(folder):
        assert [row.segment for row in ArchiveReader.open(folder).rows()] == [2]


def test_two_writers_in_one_process(folder: Path) -> None:
    """The lock holds within a process too, and is given back when the first one ends."""
    with ArchiveWriter(folder) as first:
        first.add(sample_row(), b"data")
        with pytest.raises(ArchiveLockedError):
            ArchiveWriter(folder).__enter__()
        first.add(sample_row("b"), b"data")
    write_archive(folder, [(sample_row("c"), b"data")])
    assert len(list(ArchiveReader.open(folder).rows())) == 3


def test_the_holder_is_json_beside_the_lock(folder: Path) -> None:
    """Who holds the lock can be read by a person, and is gone when the lock is."""
    with ArchiveWriter(folder) as writer:
        assert json.loads((folder / ".lock.holder").read_bytes())["pid"] == os.getpid()
        writer.add(sample_row(), b"data")
    assert not (folder / ".lock.holder").exists()
