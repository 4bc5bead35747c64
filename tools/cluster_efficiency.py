"""Measure what a cluster costs: two Dask workers beside two local processes that share the same job, on one machine.

    python tools/cluster_efficiency.py PHOTOS OUT [--files 192] [--rounds 2] [-- OPTION OF COMPRESS ...]

The local processes store into a folder, the cluster into an S3 server on the loopback (into a folder with --folder).
Both do the same parts with one thread each, and must store the same payloads. Time by the clock runs from the start of
the first command to the end of the last: planning, all parts, closing, and the start of each command, of Python and
the model too. The cluster's workers were started before, and have done a few files, so that they have the model.
Server, scheduler and workers run during the local rounds too, idle. Computing time is user and system time of all
processes: for the cluster with its parent, scheduler and server. Efficiency is local time over the cluster's. It means
something only where nothing else runs, and on two cores, which server and scheduler have to share with the workers.
"""

from __future__ import annotations

import argparse
import os
import runpy
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from batchcomp.archive import ArchiveReader
from batchcomp.places import Place, place

EXAMPLE = Path(__file__).parents[1] / "examples" / "cluster" / "run.py"
WARM = 8  # files, a part each
BATCHCOMP = (sys.executable, "-m", "batchcomp", "compress")


def payloads(archive: Place) -> dict[str, str]:
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


def local(photos: Path, archive: Place, options: Sequence[str]) -> tuple[float, float]:
    """Do the job in two processes; return seconds by the clock, and of computing."""
    plan = (*BATCHCOMP, str(photos), "-o", str(archive), "--plan", "--quiet", *options)
    began, before = time.monotonic(), sum(psutil.Process().cpu_times()[2:4])
    job = subprocess.run(plan, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()  # noqa: S603  # ours
    planned = sum(psutil.Process().cpu_times()[2:4]) - before
    one = (*BATCHCOMP, "-o", str(archive), "--job", job, "--jobs", "1", "--quiet", "--shard")
    shards = [subprocess.Popen((*one, f"{shard}/2")) for shard in (1, 2)]  # noqa: S603  # ours
    done = finished(shards)
    close = finished([subprocess.Popen((*BATCHCOMP, "-o", str(archive), "--finish", job, "--quiet"))])  # noqa: S603
    return time.monotonic() - began, planned + done + close


def spread(
    photos: Path, archive: Place, options: Sequence[str], scheduler: str, services: list[Any]
) -> tuple[float, float]:
    """Do the job over the cluster; return seconds by the clock, and of computing."""
    over = ("--engine", "dask", "--scheduler", scheduler, "--quiet", *options)
    running = [psutil.Process(service.pid) for service in services]
    began, before = time.monotonic(), computing(running)
    parent = finished([subprocess.Popen((*BATCHCOMP, str(photos), "-o", str(archive), *over))])  # noqa: S603  # ours
    return time.monotonic() - began, parent + computing(running) - before


def some(photos: Path, folder: Path, files: int) -> Path:
    """Return a folder with links to the first of the photos, all where `files` is 0."""
    folder.mkdir(parents=True)
    names = sorted(path for path in photos.iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    for path in names[: files or None]:
        try:
            (folder / path.name).hardlink_to(path)
        except OSError:  # another disk
            shutil.copy(path, folder)
    return folder


def main(words: list[str]) -> int:
    """Measure, and print a line a round and the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path, help="a new folder")
    parser.add_argument("--files", type=int, default=192, help="of the photos; 0: all")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--part-files", type=int, default=8)
    parser.add_argument("--folder", action="store_true", help="the cluster stores into a folder too")
    end = words.index("--") if "--" in words else len(words)
    asked, of_compress = parser.parse_args(words[:end]), words[end + 1 :]
    example = runpy.run_path(str(EXAMPLE))
    logs = asked.out / "logs"
    logs.mkdir(parents=True)
    photos = some(asked.photos, asked.out / "photos", asked.files)
    clock, work = [], []
    with example["Services"](logs) as services:
        if not asked.folder:
            os.environ.update(example["start_s3"](services, asked.out.resolve() / "s3"))
        scheduler = example["start_dask"](services, logs, 2)
        where = str(asked.out) if asked.folder else f"s3://{example['BUCKET']}"

        def over(photos: Path, name: str, files: int) -> tuple[float, float]:
            options = ("--part-files", str(files), *of_compress)
            return spread(photos, place(f"{where}/{name}.bca"), options, scheduler, services.running)

        over(some(asked.photos, asked.out / "few", WARM), "warm", 1)
        options = ("--part-files", str(asked.part_files), *of_compress)
        for number in range(asked.rounds):
            here, there = asked.out / f"local-{number}.bca", f"spread-{number}"
            ways = [lambda here=here: local(photos, here, options)]
            ways.insert(number % 2, lambda there=there: over(photos, there, asked.part_files))
            taken = [way() for way in ways]
            found, other = taken[1 - number % 2], taken[number % 2]
            if payloads(here) != payloads(place(f"{where}/{there}.bca")):
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
