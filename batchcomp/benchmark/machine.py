"""What the machine can do, and what a process takes of it."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from batchcomp.settings import available_cores

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

SAMPLE_SECONDS = 0.05
PEAK_SIDE = 1536  # of the matrices whose product is the machine's peak: large enough to be limited by arithmetic alone
_PROC = Path("/proc")


FLAGS = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "amx_int8", "neon", "asimd", "sve")  # that speed depends on
PACKAGES = ("torch", "numpy", "ncnn", "pillow", "imagecodecs", "av")


def fingerprint() -> str:
    """The processor, its vector instructions and cores, and the versions of what does the work, in one line."""
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        text = ""
    known = dict(line.split(":", 1) for line in reversed(text.splitlines()) if ":" in line)
    known = {key.strip(): value.strip() for key, value in known.items()}
    flags = known.get("flags", known.get("Features", "")).split()
    model = known.get("model name", platform.processor() or platform.machine())
    parts = [model, *(flag for flag in FLAGS if flag in flags), f"{available_cores()} cores", platform.system()]
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            parts.append(f"{package} {version(package)}")
    return ", ".join(parts)


def median_seconds(work: Callable[[], object], runs: int) -> float:
    """Median over `runs` calls, after one to warm up."""
    work()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let torch use so many threads in this block."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def matmul_gflops(threads: int, *, runs: int = 5) -> float:
    """Float32 matrix products of this machine in 10^9 operations a second: the peak that nets are held against."""
    with torch_threads(threads), torch.inference_mode():
        a, b = torch.rand(2, PEAK_SIDE, PEAK_SIDE).unbind()
        out = torch.empty_like(a)
        return 2 * PEAK_SIDE**3 / median_seconds(lambda: torch.mm(a, b, out=out), runs) / 1e9


def in_parallel(work: Callable[[], object], copies: int) -> Callable[[], object]:
    """Do the work so many times at once, in threads."""

    def all_at_once() -> None:
        with ThreadPoolExecutor(copies) as pool:
            for future in [pool.submit(work) for _ in range(copies)]:
                future.result()

    return all_at_once


@dataclass(frozen=True, kw_only=True)
class ProcessRun:
    """One run of a command."""

    seconds: float
    first_seconds: float | None  # until it said that a first picture was done, on standard output
    peak_bytes: int | None  # of the process and those it started; None where the system does not say
    code: int
    errors: str
    cpu_seconds: float | None = None  # computing, user and system, likewise


def run_measured(arguments: Sequence[str]) -> ProcessRun:
    """Run `python -m batchcomp ARGUMENTS` and watch its time and memory."""
    started, first, before = time.perf_counter(), None, _children_seconds()
    with (
        tempfile.TemporaryFile("w+", errors="replace") as errors,
        subprocess.Popen(  # noqa: S603  (our own command)
            [sys.executable, "-m", "batchcomp", *arguments], stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        sampler = _MemorySampler(process.pid)
        for line in process.stdout or ():
            if first is None and line.startswith('{"type": "done"'):
                first = time.perf_counter() - started
        code, peak = process.wait(), sampler.stop()
        seconds = time.perf_counter() - started
        errors.seek(0)
        return ProcessRun(
            seconds=seconds,
            first_seconds=first,
            peak_bytes=peak,
            code=code,
            errors=errors.read(),
            cpu_seconds=None if before is None else (_children_seconds() or before) - before,
        )


def _children_seconds() -> float | None:
    """Computing time of all processes that were started and have ended; None where the system does not say."""
    if resource is None:
        return None
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _MemorySampler:
    """Samples the memory of a process tree: what each holds alone, and what the first shares."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._stop = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> int | None:
        self._stop.set()
        self._thread.join()
        return self._peak or None

    def _sample(self) -> None:
        while _PROC.is_dir() and not self._stop.wait(SAMPLE_SECONDS):
            self._peak = max(self._peak, tree_bytes(self._pid))


def tree_bytes(pid: int) -> int:
    """Memory of a process and its descendants on Linux; pages of files count once, for the process itself."""
    children = defaultdict(list)
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue  # it has just ended
            children[parent].append(int(entry.name))
    total, left = 0, [pid]
    while left:
        one = left.pop()
        left += children[one]
        try:
            _, resident, shared = map(int, (_PROC / str(one) / "statm").read_text().split()[:3])
        except (OSError, ValueError):
            continue
        total += resident - (0 if one == pid else shared)
    return total * (os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096)
