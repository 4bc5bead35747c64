"""The tables of an index, and opening the file that they lie in."""

from __future__ import annotations

import marshal
import os
import sqlite3
import threading
import unicodedata
import zlib
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from batchcomp import __version__

SCHEMA: Final = 3  # raised with every change of the tables or of what stands in them
MADE_BY: Final = f"{SCHEMA} {__version__} {unicodedata.unidata_version}"  # rules of rows and names belong to a version
LINE_BITS: Final = 22  # of an id, for the picture's place in its segment: no manifest has more lines
CACHE_KIB: Final = 16 * 1024  # of pages that a connection keeps
WAL_PAGES: Final = (
    16 * 1024
)  # of the write-ahead log, after which it goes into the file: each page once for many segments
PRIVATE: Final = ("", ":memory:")  # databases that end with their connection: in a temporary file, in memory
WAIT_SECONDS: Final = 10.0  # for another process that writes to the index
MOMENT: Final = 0.02  # seconds, after which what was in use is tried again
_CREATING: Final = threading.Lock()

# Columns have no type, so that SQLite gives back what it was given: a whole number stays one. `seal` proves a row (see
# `seal_of`), since SQLite itself has no checksums.
_TABLES: Final = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    # a segment that was taken in; `tally` and the worst are of its current pictures
    """CREATE TABLE segment (number INTEGER PRIMARY KEY, identity TEXT NOT NULL, size NOT NULL, created,
    pictures NOT NULL, tally NOT NULL, worst, worst_id, worst_large, worst_large_id, seal)""",
    # `id` is that of the picture whose row is damaged; NULL: the segment as a whole, or an entry
    "CREATE TABLE damage (segment NOT NULL, id, name NOT NULL, entry, reason NOT NULL)",
    # how pictures are stored: few combinations serve all
    """CREATE TABLE manner (id INTEGER PRIMARY KEY, stored, reason, mode, model, scale, quality, recipe, engine, seal,
    UNIQUE (stored, reason, mode, model, scale, quality, recipe, engine))""",
    # a version of a picture; `next` is the id of its path's next one, NULL: it is current; `manner` 0: damaged; `next`
    # is added to its `seal`; `family`: see `batchcomp.index.families`
    """CREATE TABLE picture (id INTEGER PRIMARY KEY, path NOT NULL, next, family, manner NOT NULL, entry,
    owner_segment, source_bytes, mtime_s, mtime_rest, permissions, source_sha256, payload_bytes, payload_sha256,
    metadata_bytes, unpacked_bytes, width, height, ms_ssim, ssimulacra2, jpeg_quality, jpeg_bytes, jpeg_ms_ssim,
    jpeg_equal, jpeg_within, seconds, pixels_sha256, seal)""",
    "CREATE TABLE folder (family NOT NULL, name NOT NULL, PRIMARY KEY (family, name)) WITHOUT ROWID",
)
INDEXES: Final = {  # made after the first load, which then sorts once instead of for each row
    "by_path": "CREATE INDEX by_path ON picture (path)",
    "by_family": "CREATE INDEX by_family ON picture (family) WHERE family NOT NULL",
}


class BrokenIndexError(sqlite3.DatabaseError):
    """The database holds what no index of ours does."""


def seal_of(values: Sequence[Any]) -> int:
    """Return the CRC-32 of what a row of a table says: plain values, as SQLite gives them back."""
    return zlib.crc32(marshal.dumps(tuple(values), 2))  # the same in all versions of Python


def segment_of(picture_id: int) -> int:
    """Return the number of the segment that a picture's row stands in."""
    return picture_id >> LINE_BITS


def ids_of(number: int) -> tuple[int, int]:
    """Return the least and the greatest id that a picture of a segment can have."""
    return number << LINE_BITS, ((number + 1) << LINE_BITS) - 1


def connect(place: Path | str, archive: str) -> sqlite3.Connection:
    """Open the index of `archive`, and make its tables if it is new. `place` is a file, or one of `PRIVATE`.

    Raises:
        sqlite3.Error: the file cannot be used, or holds no index of this version of this archive.
        OSError: it cannot be made.
    """
    if isinstance(place, Path):
        _create(place)
    database = sqlite3.connect(place, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        database.execute("PRAGMA trusted_schema = OFF")
        if isinstance(place, Path):
            database.execute("PRAGMA journal_mode = WAL")  # who reads is not disturbed by who takes in
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        _prepare(database, archive)
    except BaseException:
        database.close()
        raise
    return database


def _create(file: Path) -> None:
    """Make an empty file that nobody else may read, since names of files are nobody else's business; leave one alone.

    One that is there is not even opened: closing it would end all of SQLite's locks on it that this process holds
    (https://www.sqlite.org/howtocorrupt.html, 2.2). Nor may another thread open a new one before it is closed here.
    """
    with _CREATING, suppress(FileExistsError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare(database: sqlite3.Connection, archive: str) -> None:
    if _is_ready(database, archive):
        return
    database.execute("BEGIN IMMEDIATE")  # another process may be at it too
    try:
        if not _is_ready(database, archive):
            for statement in _TABLES:
                database.execute(statement)
            facts = {"made_by": MADE_BY, "archive": archive, "loading": 1}
            database.executemany("INSERT INTO about VALUES (?, ?)", facts.items())
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _is_ready(database: sqlite3.Connection, archive: str) -> bool:
    """Tell whether the tables are there, False for a new file.

    Raises:
        BrokenIndexError: it was made by another version, or for another archive.
    """
    with closing(database.execute("SELECT name FROM sqlite_master LIMIT 1")) as found:
        if found.fetchone() is None:
            return False
    facts = dict(database.execute("SELECT name, value FROM about"))
    if facts.get("made_by") != MADE_BY or facts.get("archive") != archive:
        raise BrokenIndexError(f"the index is of {facts.get('made_by')}, not {MADE_BY}")
    return True


def is_loading(database: sqlite3.Connection) -> bool:
    """Tell whether the first load, which makes no links between versions, goes on."""
    found = database.execute("SELECT value FROM about WHERE name = 'loading'").fetchone()
    if found is None or found[0] not in {0, 1}:
        raise BrokenIndexError("the index does not say whether it is complete")
    return bool(found[0])
