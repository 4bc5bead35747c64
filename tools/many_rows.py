"""Measure what commands take on an archive of many pictures: computing time, and memory at its highest.

    python tools/large_archive.py photos.bca photos large 100000 1000     # makes large.bca, and large, its originals
    python tools/many_rows.py large.bca [large] [--rounds 3]

prints a line a command: user and system seconds of all its processes, the least of some rounds after one that does not
count, and MB. The last line is the same question without a process of its own: one picture found in an index that was
used before. Without the originals nothing is compressed. The compiled modules of batchcomp should be there, as pip
leaves them (PYTHONDONTWRITEBYTECODE not set).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from batchcomp.index import ArchiveIndex
from batchcomp.index.conditions import CURRENT, below

BATCHCOMP = (sys.executable, "-m", "batchcomp")


def commands(archive: Path, originals: Path | None, path: str, out: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield names and arguments."""
    yield "`--version`: starting only", ("--version",)
    yield "`report`: totals and the first page", ("report", str(archive))
    yield "`report --json`", ("report", str(archive), "--json")
    yield "`list`", ("list", str(archive))
    yield "`list --json`", ("list", str(archive), "--json")
    yield "`decode`, one path", ("decode", str(archive), path, "-o", str(out), "--force", "--quiet")
    yield "`prune --dry-run`", ("prune", str(archive), "--dry-run", "--quiet")
    if originals is not None:
        yield "`compress`, all known", ("compress", str(originals), "-o", str(archive), "--quiet")


def run(arguments: tuple[str, ...]) -> tuple[float, int]:
    """Run a command; return seconds of computing and MB."""
    with subprocess.Popen((*BATCHCOMP, *arguments), stdout=subprocess.DEVNULL) as process:  # noqa: S603  # ours
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"batchcomp {' '.join(arguments)}: exit code {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


def found(archive: Path, path: str, rounds: int) -> tuple[float, float]:
    """Return what finding one picture takes here, in ms: opening the index too, and in one that is open."""
    opened, asked = [], []
    for _ in range(rounds + 1):
        began = time.process_time()
        with ArchiveIndex.open(archive) as index:
            middle = time.process_time()
            rows = list(index.rows(below(path) & CURRENT))
            asked.append(time.process_time() - middle)
        opened.append(time.process_time() - began)
        if [row.path for row in rows] != [path]:
            sys.exit(f"{path}: {len(rows)} found")
    return min(opened[1:]) * 1000, min(asked[1:]) * 1000


def main(words: list[str]) -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("originals", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args(words)
    with ArchiveIndex.open(asked.archive) as index:
        count = index.count()
        path = next(row.path for row in index.rows(order="p.path", limit=1))
    sys.stdout.write(f"| {count:,} pictures | s of computing | MB |\n|---|---|---|\n")
    with TemporaryDirectory() as out:
        for name, arguments in commands(asked.archive, asked.originals, path, Path(out)):
            runs = [run(arguments) for _ in range(asked.rounds + 1)][1:]
            sys.stdout.write(f"| {name} | {min(one for one, _ in runs):.2f} | {max(one for _, one in runs)} |\n")
            sys.stdout.flush()
    whole, alone = found(asked.archive, path, asked.rounds)
    line = f"| one picture found, in a process that runs | {whole / 1000:.3f}, of it {alone:.1f} ms asking | |\n"
    sys.stdout.write(line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
