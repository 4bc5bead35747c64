"""What an archive holds, small enough to keep in memory for every file: some 250 bytes and the path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache, partial
from struct import Struct
from typing import NamedTuple

from batchcomp.archive import ArchiveReader, Damage
from batchcomp.archive.rows import Row
from batchcomp.archive.segment import Segment, open_segment
from batchcomp.errors import ArchiveError, ArchiveNotFoundError
from batchcomp.index import ArchiveIndex, Condition
from batchcomp.index.conditions import CURRENT, up_to
from batchcomp.index.schema import ids_of, segment_of
from batchcomp.pipeline.recipe import Recipe, recipe_from
from batchcomp.places import Place

_RECORD = Struct("<QqI32sQI")  # size, mtime in s and ns, SHA-256, segment, number of the Recipe


class IndexEntry(NamedTuple):
    """The current version of one path."""

    size: int
    mtime_ns: int
    sha256: bytes
    segment: int
    recipe: Recipe


class Index:
    """The current versions in an archive by path, and where content lies by SHA-256; empty where there is no archive.

    `note` adds what a run stores. Only the rows of the segment that is being written are kept whole, the others are
    read from their manifests when they are needed.
    """

    def __init__(self, folder: Place, *, upto: int | None = None) -> None:
        """Read what is in the archive in `folder`, or in its segments up to a number."""
        self.damage: list[Damage] = []
        self._records: dict[str, bytes] = {}
        self._recipes: dict[Recipe, int] = {}
        self._values: list[Recipe] = []
        self._content: dict[bytes, int] | None = None
        self._open: dict[bytes, Row] = {}
        self._open_segment = 0
        self._manifest = lru_cache(maxsize=4)(lambda number: _manifest(folder, number))
        self._archive = ArchiveReader(folder, [])
        view = CURRENT if upto is None else up_to(ids_of(upto)[1])
        with suppress(ArchiveNotFoundError), ArchiveIndex.open(folder) as index:
            self.damage += index.damage(view, upto=upto)
            self._read(index, view)

    def __len__(self) -> int:
        return len(self._records)

    def paths(self) -> Iterator[str]:
        """Yield the paths of all current versions."""
        return iter(self._records)

    def get(self, path: str) -> IndexEntry | None:
        """Return the current version of a path, None if there is none."""
        record = self._records.get(path)
        if record is None:
            return None
        size, seconds, rest, digest, segment, asked = _RECORD.unpack(record)
        return IndexEntry(size, seconds * 10**9 + rest, digest, segment, self._values[asked])

    def note(self, row: Row) -> None:
        """Remember the content of a row that was stored just now."""
        if row.segment != self._open_segment:  # the one before is committed
            self._open, self._open_segment = {}, row.segment
        digest = bytes.fromhex(row.source_sha256)
        self._open[digest] = row
        self._by_content[digest] = row.segment

    def owners(self, sha256: str) -> Iterator[Row]:
        """Yield rows that hold this content, the best to share first; each payload was found to be sound."""
        digest = bytes.fromhex(sha256)
        if digest in self._open:
            yield self._open[digest]
            return
        segment = self._by_content.get(digest)
        if segment is None:
            return
        for row in self._rows_of(segment, sha256):
            if self._is_sound(row):
                yield row

    @property
    def _by_content(self) -> dict[bytes, int]:
        if self._content is None:  # made when the first file is stored: most runs store few or none
            unpacked = map(_RECORD.unpack, self._records.values())
            self._content = {digest: segment for *_, digest, segment, _ in unpacked}
        return self._content

    def _read(self, index: ArchiveIndex, view: Condition) -> None:
        """Take in the current versions; a row that breaks the rules is unknown, and so its picture is stored anew."""
        number_of = lru_cache(maxsize=1024)(partial(self._recipe_number, index))
        for path, size, seconds, rest, sha256, place, manner, measured in index.stored(view):
            asked = number_of(manner, measured)
            self._records[path] = _RECORD.pack(size, seconds, rest, sha256, segment_of(place), asked)

    def _recipe_number(self, index: ArchiveIndex, manner: int, measured: int) -> int:
        asked = recipe_from({**index.manner(manner), "ms_ssim": measured or None})
        number = self._recipes.setdefault(asked, len(self._recipes))
        if number == len(self._values):
            self._values.append(asked)
        return number

    def _rows_of(self, segment: int, sha256: str) -> Iterator[Row]:
        """Yield the rows of a committed segment that have this content."""
        try:
            opened, manifest = self._manifest(segment)
            at = manifest.find(sha256.encode())
            while at >= 0:
                end = manifest.index(b"\n", at) + 1
                row = opened.row(manifest[manifest.rindex(b"\n", 0, at) + 1 : end])
                if row.source_sha256 == sha256:
                    yield row
                at = manifest.find(sha256.encode(), end)
        except (ArchiveError, ValueError):  # damaged meanwhile: the content is stored anew
            return

    def _is_sound(self, row: Row) -> bool:
        try:
            return len(self._archive.read(row)) == row.payload_bytes
        except ArchiveError:
            return False


def _manifest(folder: Place, number: int) -> tuple[Segment, bytes]:
    segment = open_segment(folder, number)
    return segment, segment.read_manifest()
