"""Measure the bare index of an archive with very many pictures, without making the archive.

    python tools/large_index.py index.sqlite 10000 1000

loads 10,000 segments of 1,000 made-up rows each, whose paths come in no order, into a new file, or goes on with one
that is there, and says in milliseconds what questions take: sums over all, a page, one path, one more segment, and
letting go of the file, which writes what the log holds into it and waits for the disk.
"""

from __future__ import annotations

import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

from batchcomp.archive import JpegComparison, Row
from batchcomp.index.archive_index import ArchiveIndex
from batchcomp.index.columns import INSERT, columns_of
from batchcomp.index.conditions import CURRENT, below
from batchcomp.index.families import row_family
from batchcomp.index.loading import Taken, finish_loading, take_in, transaction
from batchcomp.index.order import order_by
from batchcomp.index.schema import connect, ids_of, is_loading, seal_of
from batchcomp.index.sums import SegmentSums, put_sums
from batchcomp.report.rows import report_row

_USUAL = Row(
    path="",
    stored="compact",
    source_bytes=3_000_000,
    mtime_ns=1_700_000_000_123_456_789,
    permissions=0o640,
    source_sha256="",
    payload_sha256="",
    payload_bytes=300_000,
    width=4000,
    height=3000,
    mode="RGB",
    model="cd" * 32,
    scale=2,
    quality=55,
    ms_ssim=0.98,
    jpeg=JpegComparison(quality=31, bytes=299_000, ms_ssim=0.96, bytes_at_ms_ssim=500_000),
    seconds=0.5,
    engine="ncnn",
)


def path_of(number: int) -> str:
    """Return a path; neighbours in number lie in folders far apart."""
    return f"{number % 997:04}/{number % 31:02}/IMG_{number:08}.jpg"


def segment(number: int, rows: int) -> Taken:
    """Return a made-up segment."""
    random = Random(number)  # noqa: S311 - figures to look at, no secrets
    found: dict[int, Row | str] = {}
    for place in range(rows):
        path = path_of((number - 1) * rows + place)
        digest = sha256(path.encode()).hexdigest()
        own = {"source_bytes": random.randrange(10**6, 10**7), "payload_bytes": random.randrange(10**5, 10**6)}
        row = replace(
            _USUAL, path=path, entry=f"{path}.jpg", source_sha256=digest, payload_sha256=digest, segment=number,
            ms_ssim=random.uniform(0.9, 0.999), **own,
        )  # fmt: skip
        found[place] = row
    return Taken(number=number, identity=str(number), size=rows * 300_000, created=1_700_000_000 + number, rows=found)


class _Copies:
    """Puts segments into an index as `take_in` does, three times as fast: figures are those of the first segment."""

    def __init__(self, connection: sqlite3.Connection, rows: int) -> None:
        self._connection, self._rows = connection, rows
        known = [row for row in segment(1, rows).rows.values() if isinstance(row, Row)]
        self._columns = [columns_of(row, 0, 1)[:-1] for row in known]
        self._figures = list(map(report_row, known))

    def put(self, number: int) -> None:
        """Put one."""
        with transaction(self._connection):
            self._connection.executemany(INSERT, self._records(number))
            sums = SegmentSums(number, str(number), self._rows * 300_000, 1_700_000_000 + number, self._rows, "")
            put_sums(self._connection, sums, self._figures)

    def _records(self, number: int) -> Iterator[tuple[object, ...]]:
        first = ids_of(number)[0]
        for place, known in enumerate(self._columns):
            path = path_of((number - 1) * self._rows + place)
            digest = sha256(path.encode()).digest()
            values = (first + place, path, row_family(path), known[3], f"{path}.jpg")
            values += (*known[5:10], digest, known[11], digest, *known[13:])
            yield (*values, seal_of(values))


class _Opened:
    """What stands in for the database of an archive that is there."""

    def __init__(self, connection: object) -> None:
        self.connection = connection

    def query(self, sql: str, condition: object = None, *, make: Callable[..., object], limit: int = -1) -> object:
        values = getattr(condition, "values", ())
        return map(make, self.connection.execute(f"{sql} LIMIT {limit}", values))  # type: ignore[attr-defined]


def timed(what: str, ask: Callable[[], object]) -> None:
    """Say what an answer took: by the clock and of computing, in milliseconds."""
    clock, computing = time.perf_counter(), time.process_time()
    ask()
    clock, computing = time.perf_counter() - clock, time.process_time() - computing
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{what}: {clock * 1000:.1f} ms, {computing * 1000:.1f} of computing; {most} MB at most", flush=True)  # noqa: T201


def main(file: Path, segments: int, rows: int) -> None:
    """Load and ask."""
    connection = connect(file, "large")
    known = connection.execute("SELECT coalesce(max(number), 0) FROM segment").fetchone()[0]
    if not known:
        take_in(connection, segment(1, rows))
    copies = _Copies(connection, rows)
    timed("load", lambda: [copies.put(one) for one in range(max(2, known + 1), segments + 1)])
    if is_loading(connection):
        timed("links", lambda: finish_loading(connection))
    index = ArchiveIndex(None, _Opened(connection))  # type: ignore[arg-type]
    random = Random(0)  # noqa: S311 - as above
    for time_ in ("first", "again"):
        timed(f"sums, {time_}", lambda: (index.tally(), index.worst()))
        timed(f"a page, {time_}", lambda: list(index.rows(order=order_by("path"), limit=40)))
        some = [path_of(random.randrange(segments * rows)) for _ in range(100)]
        timed(f"100 paths, {time_}", lambda some=some: [list(index.rows(below(one) & CURRENT)) for one in some])  # type: ignore[misc]
    for number in range(1, 4):
        more = segment(segments + number, rows)
        timed("one more segment", lambda more=more: take_in(connection, more))  # type: ignore[misc]
    timed("let go", connection.close)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:4]))
