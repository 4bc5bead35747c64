"""Versions of pictures, as `list` and `report` show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batchcomp.cli import console
from batchcomp.errors import ArchiveError

if TYPE_CHECKING:
    from batchcomp.archive import Version
    from batchcomp.index import ArchiveIndex

COLUMNS = [
    ("version", "right"), ("archived", "left"), ("changed", "left"), ("source", "right"), ("stored", "left"),
    ("quality", "right"), ("bytes", "right"), ("MS-SSIM", "right"), ("segment", "left"),
]  # fmt: skip


def show_versions(index: ArchiveIndex, *, as_json: bool) -> int:
    """Print a line for every version of every picture; return how many there are."""
    count = 0
    with console.batched():
        for count, version in enumerate(index.versions(), 1):  # noqa: B007  # the last one is the answer
            _json(version) if as_json else console.write(_line(version) + "\n")
    return count


def show_history(index: ArchiveIndex, path: str, *, as_json: bool) -> int:
    """Show all versions of one picture; return how many there are.

    Raises:
        ArchiveError: there is no such picture.
    """
    found = list(index.versions(path))
    if not found:
        raise ArchiveError(f"{index.store}: has no picture {path!r}; `batchcomp list` names those it has")
    if as_json:
        for version in found:
            _json(version)
    else:
        console.show_table(path, COLUMNS, [_cells(version) for version in found])
    return len(found)


def stamp(version: Version) -> str:
    """When it was archived, as `--at` takes it."""
    return version.archived.strftime("%Y-%m-%dT%H:%M:%SZ")


def _line(version: Version) -> str:
    """Version, time, bytes, ZIP file, kind, path; the path stands last, since it may hold spaces."""
    row = version.row
    size, kind = (f"{row.source_bytes}", row.stored) if row else ("-", "damaged")
    place = f"{version.segment:06d}.zip"
    return f"{version.number:>3}  {stamp(version)}  {size:>10}  {place}  {kind:<12}  {console.shown(version.path)}"


def _cells(version: Version) -> list[str]:
    from batchcomp.report.text import human, number

    row, place = version.row, f"{version.segment:06d}.zip"
    if row is None:
        return [str(version.number), stamp(version), "-", "-", "damaged", "-", "-", "-", place]
    return [
        str(version.number),
        stamp(version),
        _changed(row.mtime_ns),
        human(row.source_bytes),
        row.stored,
        f"{row.quality:g}" if row.quality else "-",
        "shared" if row.owner_segment else human(row.payload_bytes),
        number(row.ms_ssim, 4),
        place,
    ]


def _changed(mtime_ns: int) -> str:
    from datetime import UTC, datetime, timedelta

    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=mtime_ns // 10**9)
    except OverflowError:
        return "-"
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(version: Version) -> None:
    from batchcomp.report.rows import row_fields

    fields: dict[str, Any] = {"version": version.number, "archived": stamp(version), "segment": version.segment}
    row = version.row
    if row is None:
        console.json_line("version", path=version.path, **fields, damaged=True)
        return
    more = {"entry": row.entry, "shared": bool(row.owner_segment), "source_sha256": row.source_sha256}
    more |= {"mtime_ns": row.mtime_ns, "model": row.model}
    console.json_line("version", **row_fields(row), **fields, **more, damaged=False)
