"""Measure what a cluster costs: two Dask workers beside two local processes that share the same job, on one machine.

    python tools/cluster_efficiency.py PHOTOS OUT [--rounds 2]

Rounds take turns. Both do the same parts with one thread each; both must store the same payloads. Computing time is
user and system time of all processes, parent and scheduler included. Time by the clock means something only where
nothing else runs.
"""

from __future__ import annotations

import argparse
import runpy
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from batchcomp.archive import ArchiveReader

EXAMPLE = Path(__file__).parents[1] / "examples" / "cluster" / "run.py"
BATCHCOMP = (sys.executable, "-m", "batchcomp", "compress")


def payloads(archive: Path) -> dict[str, str]:
    """Return the checksum of each picture's payload."""
    return {row.path: row.payload_sha256 for row in ArchiveReader.open(archive).rows()}


def computing(processes: list[psutil.Process]) -> float:
    """Seconds that processes have computed so far, and those that they started and that still run."""
    found = {one for process in processes for one in (process, *process.children(recursive=True))}
    return sum(sum(one.cpu_times()[:4]) for one in found)


def finished(processes: list[subprocess.Popen[bytes]]) -> float:
    """Wait for processes and return the seconds that they computed."""
    before = sum(psutil.Process().cpu_times()[2:4])
    for process in processes:
        if process.wait():
            sys.exit(f"{process.args} failed")
    return sum(psutil.Process().cpu_times()[2:4]) - before


def local(photos: Path, archive: Path, files: int) -> tuple[float, float]:
    """Do the job in two processes; return seconds by the clock, and of computing."""
    plan = (*BATCHCOMP, str(photos), "-o", str(archive), "--plan", "--part-files", str(files), "--quiet")
    began, before = time.monotonic(), sum(psutil.Process().cpu_times()[2:4])
    job = subprocess.run(plan, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()  # noqa: S603  # ours
    planned = sum(psutil.Process().cpu_times()[2:4]) - before
    one = (*BATCHCOMP, "-o", str(archive), "--job", job, "--jobs", "1", "--quiet", "--shard")
    shards = [subprocess.Popen((*one, f"{shard}/2")) for shard in (1, 2)]  # noqa: S603  # ours
    done = finished(shards)
    close = finished([subprocess.Popen((*BATCHCOMP, "-o", str(archive), "--finish", job, "--quiet"))])  # noqa: S603
    return time.monotonic() - began, planned + done + close


def spread(photos: Path, archive: Path, files: int, scheduler: str, services: list[Any]) -> tuple[float, float]:
    """Do the job over the cluster; return seconds by the clock, and of computing."""
    over = ("--engine", "dask", "--scheduler", scheduler, "--part-files", str(files), "--quiet")
    running = [psutil.Process(service.pid) for service in services]
    began, before = time.monotonic(), computing(running)
    parent = finished([subprocess.Popen((*BATCHCOMP, str(photos), "-o", str(archive), *over))])  # noqa: S603  # ours
    return time.monotonic() - began, parent + computing(running) - before


def main(words: list[str]) -> int:
    """Measure, and print a line a round and the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path, help="a new folder")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--part-files", type=int, default=8)
    asked = parser.parse_args(words)
    example = runpy.run_path(str(EXAMPLE))
    logs = asked.out / "logs"
    logs.mkdir(parents=True)
    clock, work = [], []
    with example["Services"](logs) as services:
        scheduler = example["start_dask"](services, logs, 2)
        warm = asked.out / "warm.bca"
        spread(asked.photos, warm, asked.part_files, scheduler, services.running)  # workers load the model
        for number in range(asked.rounds):
            here, there = asked.out / f"local-{number}.bca", asked.out / f"spread-{number}.bca"
            found = local(asked.photos, here, asked.part_files)
            other = spread(asked.photos, there, asked.part_files, scheduler, services.running)
            if payloads(here) != payloads(there):
                sys.exit("the payloads differ")
            clock.append(found[0] / other[0])
            work.append(found[1] / other[1])
            line = f"round {number + 1}: local {found[0]:.1f} s ({found[1]:.1f} s computing), "
            sys.stdout.write(f"{line}cluster {other[0]:.1f} s ({other[1]:.1f} s computing), the same payloads\n")
            sys.stdout.flush()
    mean_clock, mean_work = sum(clock) / len(clock), sum(work) / len(work)
    sys.stdout.write(f"efficiency: {mean_clock:.0%} by the clock, {mean_work:.0%} by computing time\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
