"""The processes that the tests of this folder kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent


class Server:
    """Runs commands in children of a server process; see `server.py`."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self._log = log
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        self._errors = log.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.server", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            cwd=ROOT,
            text=True,
        )

    def run(self, run: str, folder: Path, *, kill_after: float | None = None, **more: Any) -> int:
        """Run a command in a child and return its exit status, -9 if it was killed after some seconds."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"run": run, "folder": str(folder), **more}) + "\n")
        self._process.stdin.flush()
        child = int(self._answer())
        timer = threading.Timer(kill_after or 0, _kill, [child])
        if kill_after is not None:
            timer.start()
        status = int(self._answer())
        timer.cancel()
        return status

    @property
    def said(self) -> str:
        """What the children wrote to stderr."""
        return self._log.read_text()

    def close(self) -> None:
        """End the server."""
        self._process.communicate()
        self._errors.close()

    def _answer(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline() or pytest.fail(f"the server died: {self.said}")


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server without torch."""
    server = Server(tmp_path_factory.mktemp("server") / "stderr")
    yield server
    server.close()


@pytest.fixture(scope="module")
def compressor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that can compress."""
    server = Server(tmp_path_factory.mktemp("server") / "stderr", "compress")
    yield server
    server.close()
