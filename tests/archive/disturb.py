"""What disturbs a writer: another process that holds the lock, and a disk that refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from batchcomp.archive import durable

HOLDER = """
import sys
from pathlib import Path
from batchcomp.archive import ArchiveWriter, Row
row = Row(path="a", stored="compact", source_bytes=1, mtime_ns=0, permissions=0, source_sha256="00" * 32,
          width=1, height=1, mode="L", quality=1)
with ArchiveWriter(Path(sys.argv[1])) as writer:
    writer.add(row, b"first")
    writer.commit()
    writer.add(row, b"second")
    print("ready", flush=True)
    sys.stdin.read()
"""


def start_holder(folder: Path) -> subprocess.Popen[bytes]:
    """Start a process that has one segment committed and another one open."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    return process


def fail_at(monkeypatch: pytest.MonkeyPatch, name: str, call: int, error: BaseException, *, once: bool) -> None:
    """Make one call (or all from it on) of a function in `durable` fail, `write` after half of the data."""
    real, count = getattr(durable, name), 0

    def failing(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count == call or (count > call and not once):
            if name == "write":
                arguments[0].write(arguments[1][: len(arguments[1]) // 2])
            raise error
        return real(*arguments)

    monkeypatch.setattr(durable, name, failing)
