"""A Dask cluster on this machine: a scheduler and workers in processes of their own, which tests may kill."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

ROOT = Path(__file__).parent.parent
PATIENCE = 120  # seconds for what takes a few on an idle machine
GIVEN_UP = 30  # seconds without any worker


class DaskCluster:
    """A scheduler and `workers` processes with one thread each, as a context manager."""

    def __init__(self, folder: Path, workers: int = 2, environment: dict[str, str] | None = None) -> None:
        self._folder, self._workers, self._environment = folder, workers, environment or {}
        self._processes: list[subprocess.Popen[bytes]] = []
        self.address = ""

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / "scheduler.json"
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        wait_until(lambda: file.exists() and file.read_text().endswith("}"))
        self.address = json.loads(file.read_text())["address"]
        self._start_workers()
        wait_until(lambda: len(self.worker_processes()) == self._workers)
        return self

    def _start_workers(self) -> None:
        self._start(
            "worker", self.address, "--nworkers", str(self._workers), "--nthreads", "1", "--no-dashboard",
            "--local-directory", str(self._folder),
        )  # fmt: skip

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._processes):
            with suppress(psutil.NoSuchProcess):
                for child in psutil.Process(process.pid).children(recursive=True):
                    with suppress(psutil.NoSuchProcess):
                        child.kill()
            process.kill()
            process.wait()

    def worker_processes(self) -> list[int]:
        """Return the processes that do the work now; each is a child of the one that starts it anew."""
        found = []
        with suppress(psutil.NoSuchProcess):  # that one may have ended
            for child in psutil.Process(self._processes[-1].pid).children():
                with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    if any("spawn_main" in word for word in child.cmdline()):
                        found.append(child.pid)
        return found

    def lose_all_workers(self) -> None:
        """Kill the workers for good: first the process that would start them anew."""
        with suppress(psutil.NoSuchProcess):
            doomed = psutil.Process(self._processes[-1].pid)
            for one in (doomed, *doomed.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    one.kill()

    @contextmanager
    def losing_workers(self, chance: random.Random, most: int) -> Iterator[list[int]]:
        """Kill a worker at random moments, `most` times; yield the list that grows by one for each.

        One that is killed while it starts may be given up by Dask: then all are started anew, as a person would.
        """
        killed: list[int] = []
        done = threading.Event()

        def kill() -> None:
            alive = time.monotonic()
            while not done.wait(chance.uniform(0.1, 1.5)):
                if self.worker_processes():
                    alive = time.monotonic()
                elif time.monotonic() - alive > GIVEN_UP:
                    self.lose_all_workers()
                    self._processes.pop().wait()
                    self._start_workers()
                    alive = time.monotonic()
                if len(killed) < most and self.kill_one(chance):
                    killed.append(len(killed))

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            yield killed
        finally:
            done.set()
            killer.join()

    @property
    def scheduler(self) -> int:
        """The process of the scheduler."""
        return self._processes[0].pid

    def kill_one(self, chance: random.Random) -> bool:
        """Kill one worker, with -9; False where none is there at the moment."""
        found = self.worker_processes()
        if not found:
            return False
        with suppress(ProcessLookupError):
            os.kill(chance.choice(found), signal.SIGKILL)
            return True
        return False

    def _start(self, what: str, *arguments: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **self._environment}
        with (self._folder / f"{what}.log").open("wb") as log:
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "dask", what, *arguments],
                    stdout=log,
                    stderr=log,
                    env=environment,
                    start_new_session=True,
                )
            )


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until it holds.

    Raises:
        TimeoutError: it does not after a long time.
    """
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)
