"""Two views of one descriptor see the same memory."""

from __future__ import annotations

import mmap
import os

import pytest

from batchcomp.images import shared_memory
from batchcomp.images.shared_memory import SharedMemory, give_back, new_descriptor


def test_pixels_come_first_and_the_rest_behind_them() -> None:
    """The other side finds both where the first one says."""
    with new_descriptor() as descriptor:
        mine, theirs = SharedMemory(descriptor), SharedMemory(descriptor)
        mine.pixels((2, 3, 1))[:] = 7
        start, size = mine.append(b"metadata")
        assert (start, size) == (6, 8)
        assert theirs.view()[:14] == bytes([7] * 6) + b"metadata"


def test_a_sandbox_may_refuse_memory_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without a name does as well."""

    def refuse(_: str) -> int:
        raise PermissionError

    monkeypatch.setattr(shared_memory.os, "memfd_create", refuse, raising=False)
    with new_descriptor() as descriptor:
        SharedMemory(descriptor).append(b"data")
        assert SharedMemory(descriptor).view()[:4] == b"data"


def test_it_grows_and_is_used_again() -> None:
    """What was in it is overwritten by the next picture."""
    with new_descriptor() as descriptor:
        memory = SharedMemory(descriptor)
        memory.append(b"x" * 10_000)
        memory.clear()
        assert memory.append(b"again") == (0, 5)
        assert memory.view()[:5] == b"again"


def test_only_a_large_memory_shrinks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is quicker to fill than what is new."""
    monkeypatch.setattr(shared_memory, "LEFT", 8192)
    with new_descriptor() as descriptor:
        memory = SharedMemory(descriptor)
        memory.append(bytes(100))
        size = os.fstat(descriptor).st_size
        memory.shrink()
        assert os.fstat(descriptor).st_size == size
        memory.append(bytes(100_000))
        memory.shrink()
        assert os.fstat(descriptor).st_size == 8192


@pytest.mark.skipif(not hasattr(mmap, "MADV_REMOVE"), reason="this system gives nothing back in part")
def test_what_nobody_reads_again_goes_back_to_the_system() -> None:
    """Whole pages only: what lies behind the end stays as it is."""
    with new_descriptor() as descriptor:
        memory = SharedMemory(descriptor)
        memory.append(b"x" * 10 * mmap.PAGESIZE)
        before = os.fstat(descriptor).st_blocks
        give_back(memory.view(), 7 * mmap.PAGESIZE + 5)
        assert before - os.fstat(descriptor).st_blocks == 7 * mmap.PAGESIZE // 512
        assert memory.view()[7 * mmap.PAGESIZE : 10 * mmap.PAGESIZE] == b"x" * 3 * mmap.PAGESIZE


def test_where_a_system_gives_nothing_back_all_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs memory and nothing else."""
    monkeypatch.delattr(mmap, "MADV_REMOVE", raising=False)
    with new_descriptor() as descriptor:
        memory = SharedMemory(descriptor)
        memory.append(b"x" * 2 * mmap.PAGESIZE)
        give_back(memory.view(), 2 * mmap.PAGESIZE)
        assert memory.view()[: 2 * mmap.PAGESIZE] == b"x" * 2 * mmap.PAGESIZE
