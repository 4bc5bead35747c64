"""Hold a cluster against one process: the same payloads, the same report of `verify`, the same restored files.

    python tools/cluster_same.py PHOTOS OUT [-- OPTION OF COMPRESS ...]

Two Dask workers store into an S3 server on the loopback, all of it started here; one process stores into a folder.
Exit code 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from batchcomp.archive import ArchiveReader
from batchcomp.places import Place, place

EXAMPLE = Path(__file__).parents[1] / "examples" / "cluster" / "run.py"
BATCHCOMP = (sys.executable, "-m", "batchcomp")


def call(*words: str) -> list[str]:
    """Run a command of batchcomp and return the lines of its stdout; it may find that some files failed."""
    began = time.monotonic()
    done = subprocess.run((*BATCHCOMP, *words), stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603  # ours
    say(f"batchcomp {' '.join(words)}: exit code {done.returncode}, {time.monotonic() - began:.0f} s by the clock")
    if done.returncode not in {0, 3}:
        sys.exit(done.returncode)
    return done.stdout.splitlines()


def payloads(archive: Place) -> dict[str, tuple[str, str]]:
    """Return the checksums of each picture's source and payload."""
    return {row.path: (row.source_sha256, row.payload_sha256) for row in ArchiveReader.open(archive).rows()}


def verified(lines: Sequence[str]) -> object:
    """Return what `verify --json` says, without what depends on how the archive is cut into segments."""
    said = [json.loads(line) for line in lines]
    return [
        {key: one[key] for key in ("type", "exit_code", "entries", "checked", "damaged") if key in one} for one in said
    ]


def files(folder: Path) -> dict[str, tuple[str, int]]:
    """Return the checksum and the time of each file below a folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): (sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in found
    }


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(words: list[str]) -> int:
    """Compare, and say how many of each were the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path, help="a new folder")
    end = words.index("--") if "--" in words else len(words)
    asked, options = parser.parse_args(words[:end]), words[end + 1 :]
    example = runpy.run_path(str(EXAMPLE))
    logs = asked.out / "logs"
    logs.mkdir(parents=True)
    here, there = str(asked.out / "local.bca"), f"s3://{example['BUCKET']}/spread.bca"
    with example["Services"](logs) as services:
        os.environ.update(example["start_s3"](services, asked.out.resolve() / "s3"))
        over = ("--engine", "dask", "--scheduler", example["start_dask"](services, logs, 2))
        call("compress", str(asked.photos), "-o", there, "--quiet", *over, *options)
        call("compress", str(asked.photos), "-o", here, "--quiet", *options)
        wrong = compared("payloads", payloads(place(here)), payloads(place(there)))
        wrong += compared(
            "findings", verified(call("verify", here, "--json")), verified(call("verify", there, "--json", *over))
        )
        for archive, name, more in ((here, "here", ()), (there, "there", over)):
            call("decode", archive, "-o", str(asked.out / name), "--quiet", *more)
        wrong += compared("restored files", files(asked.out / "here"), files(asked.out / "there"))
    return min(1, wrong)


def compared(what: str, one: object, other: object) -> int:
    """Say whether two are the same; return 1 where they are not."""
    count = len(one) if isinstance(one, (dict, list)) else 1
    say(f"{what}: {count}, {'the same' if one == other else 'NOT the same'}")
    return int(one != other)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
