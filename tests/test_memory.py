"""How freed memory goes back to the system."""

from __future__ import annotations

import ctypes
import platform

import pytest

from batchcomp.memory import give_back_freed, give_back_now


def test_freed_memory_goes_back_where_the_system_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is glibc; all others go on without."""
    assert give_back_freed(2) or platform.libc_ver()[0] != "glibc"
    assert give_back_now() or platform.libc_ver()[0] != "glibc"

    def missing(_: object) -> object:
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert not give_back_freed(2)
    assert not give_back_now()
