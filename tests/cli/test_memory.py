"""What is said where there is no memory, and what is refused before it ends a run."""

from __future__ import annotations

import errno

import pytest

from batchcomp.cli.memory import lacks_memory
from batchcomp.index import ArchiveIndex
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("error", "lacks"),
    [
        (MemoryError(), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (ImportError("libtorch_python.so: failed to map segment from shared object"), True),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
            True,
        ),
        (RuntimeError("can't start new thread"), True),
        (RuntimeError("something else"), False),
        (ValueError("out of memory"), False),
        (OSError(errno.ENOSPC, "No space left on device"), False),
    ],
)
def test_want_of_memory_is_recognised(error: Exception, lacks: bool) -> None:
    """Also where torch, the loader or the system says it, and where another error came of it."""
    assert lacks_memory(error) is lacks
    outer = RuntimeError("outer")
    outer.__cause__ = error
    assert lacks_memory(outer) is lacks


def test_want_of_memory_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit of address space is no bug, and so no traceback."""

    def refuse(*_: object, **_options: object) -> None:
        raise MemoryError

    monkeypatch.setattr(ArchiveIndex, "open", refuse)
    result = run("list", "a.bca")
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert "not enough memory" in result.err
    assert run("list", "a.bca", "--json").json[-1]["exit_code"] == 1
