"""The versions of an archive's pictures in a temporary SQLite database: on the disk, private, gone with the process."""

from __future__ import annotations

import sqlite3
import threading
import unicodedata
from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from batchcomp.archive.manifest import line_path
from batchcomp.archive.rows import row_of

ORDERS: Final = {  # how pictures may be arranged -> SQL
    "name": "picture.path",
    "newest": "version.changed DESC, picture.path",
    "oldest": "version.changed, picture.path",
    "largest": "version.pixels DESC, picture.path",
}
MOST_TEXT: Final = 200  # characters that can be searched for
_KEY: Final = 24  # hexadecimal digits
_SCHEMA: Final = """
    CREATE TABLE version (
        id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, path TEXT NOT NULL, folded TEXT NOT NULL,
        segment INTEGER NOT NULL, line BLOB NOT NULL, stored TEXT NOT NULL, changed INTEGER NOT NULL,
        width INTEGER NOT NULL, height INTEGER NOT NULL, pixels INTEGER NOT NULL
    );
    CREATE INDEX version_path ON version (path);
    CREATE TABLE picture (path TEXT PRIMARY KEY, folder TEXT NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID;
"""
_LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is looked for: pictures below a folder, whose path holds all words, that changed within a span of time.

    Attributes:
        folder: "" for all.
        text: words in any order and case; "" for all.
        since: seconds since 1970 UTC, None for any.
        before: likewise, not included.
        order: one of `ORDERS`.
    """

    folder: str = ""
    text: str = ""
    since: int | None = None
    before: int | None = None
    order: str = "name"


@dataclass(frozen=True, kw_only=True)
class Found:
    """A picture as a list shows it; `stored` is "" where its row is damaged."""

    key: str
    path: str
    stored: str
    width: int
    height: int
    changed: int  # seconds since 1970 UTC


def key_of(segment: int, line: bytes) -> str:
    """Return what a version is called: it follows from its row and segment, which `prune` and `repair` keep."""
    return sha256(b"%d\0" % segment + line).hexdigest()[:_KEY]


def folded(text: str) -> str:
    """Return a text as it is compared in a search."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


class Database:
    """Rows by path, key and place. Threads take turns; each turn is short."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        # "" is a file without a name in SQLite's folder for temporary files
        self._connection = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Give back the disk space; what is asked later finds nothing."""
        with self._turn:
            self._connection.close()
            self._connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
            self._connection.executescript(_SCHEMA)

    def add(self, segment: int, lines: Sequence[bytes]) -> None:
        """Add versions in the order in which they were written; the last of a path is its current one."""
        values = [value for line in lines if (value := _values(segment, line)) is not None]
        with self._turn:
            self._connection.execute("BEGIN")
            for value in values:
                added = self._connection.execute(
                    "INSERT OR IGNORE INTO version (key, path, folded, segment, line, stored, changed, width, height, "
                    "pixels) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    value,
                )
                if added.rowcount:  # a line that occurs twice counts once
                    path = value[1]
                    self._connection.execute(
                        "INSERT OR REPLACE INTO picture (path, folder, version) VALUES (?, ?, ?)",
                        (path, path.rpartition("/")[0], added.lastrowid),
                    )
            self._connection.execute("COMMIT")

    def matching(self, query: Query) -> array[int]:
        """Return the numbers of the versions that a query finds, in its order."""
        where, values = _conditions(query)
        sql = (
            f"SELECT version.id FROM picture JOIN version ON version.id = picture.version WHERE {where} "  # noqa: S608
            f"ORDER BY {ORDERS[query.order]}"  # all parts are ours
        )
        with self._turn:
            return array("q", (number for (number,) in self._connection.execute(sql, values)))

    def found(self, numbers: Sequence[int]) -> list[Found]:
        """Return the pictures of these numbers, in their order."""
        if not numbers:
            return []
        sql = "SELECT id, key, path, stored, width, height, changed FROM version WHERE id IN "
        marks = ",".join("?" * len(numbers))
        with self._turn:
            rows = self._connection.execute(f"{sql}({marks})", list(numbers)).fetchall()
        by_number = {
            number: Found(key=key, path=path, stored=stored, width=width, height=height, changed=changed)
            for number, key, path, stored, width, height, changed in rows
        }
        return [by_number[number] for number in numbers if number in by_number]

    def number_of(self, key: str) -> int | None:
        """Return the number of a version."""
        found = self._one("SELECT id FROM version WHERE key = ?", key)
        return None if found is None else int(found)

    def path_of(self, key: str) -> str | None:
        """Return the path of a version."""
        found = self._one("SELECT path FROM version WHERE key = ?", key)
        return None if found is None else str(found)

    def versions(self, path: str) -> list[tuple[str, int, bytes]]:
        """Return key, segment and line of each version of a picture, the oldest first."""
        with self._turn:
            return self._connection.execute(
                "SELECT key, segment, line FROM version WHERE path = ? ORDER BY id", (path,)
            ).fetchall()

    def folders(self) -> dict[str, int]:
        """Return how many pictures lie in each folder, those below it not counted."""
        with self._turn:
            return dict(self._connection.execute("SELECT folder, count(*) FROM picture GROUP BY folder"))

    def _one(self, sql: str, value: str) -> Any:
        with self._turn:
            found = self._connection.execute(sql, (value,)).fetchone()
        return found[0] if found else None


def _values(segment: int, line: bytes) -> tuple[Any, ...] | None:
    """Return what is kept of a line; None where not even its path can be read."""
    path, row = line_path(line), None
    if path is None or not _is_text(path):
        return None
    with suppress(ValueError):
        row = row_of(line, segment)
    width, height = (row.width, row.height) if row else (0, 0)
    changed = row.mtime_ns // 10**9 if row else 0
    stored = row.stored if row else ""
    pixels = min(width * height, _LARGEST)
    return key_of(segment, line), path, folded(path), segment, line, stored, changed, width, height, pixels


def _conditions(query: Query) -> tuple[str, list[Any]]:
    """Return the SQL of a query's conditions, and its values."""
    found: list[tuple[str, tuple[Any, ...]]] = [("1", ())]
    if query.folder:  # all that begins with FOLDER/: "0" is the character after "/"
        found.append(("picture.path >= ? AND picture.path < ?", (f"{query.folder}/", f"{query.folder}0")))
    found += [("instr(version.folded, ?) > 0", (word,)) for word in folded(query.text[:MOST_TEXT]).split()]
    if query.since is not None:
        found.append(("version.changed >= ?", (query.since,)))
    if query.before is not None:
        found.append(("version.changed < ?", (query.before,)))
    return " AND ".join(sql for sql, _ in found), [value for _, values in found for value in values]


def _is_text(path: str) -> bool:
    """Tell whether a path out of a damaged row is text at all."""
    try:
        return bool(path.encode())
    except UnicodeEncodeError:
        return False
