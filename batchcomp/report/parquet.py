"""Rows as a Parquet file, which pandas, Polars, DuckDB, Spark and R read: one line a picture, for analyses.

https://parquet.apache.org/docs/file-format/. Needs pyarrow, the extra `[parquet]`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from batchcomp.archive import Row, durable
from batchcomp.errors import UsageError
from batchcomp.report.rows import row_fields

MISSING: Final = "Parquet needs one more package: pip install 'batchcomp[parquet]'"
GROUP: Final = 16_384  # rows that are compressed together
_INT64: Final = 2**63

# column -> its type, by pyarrow's names; first those of a report, then what else a row says
COLUMNS: Final = {
    "path": "string",
    "stored": "string",
    "reason": "string",
    "width": "int32",
    "height": "int32",
    "quality": "float64",
    "source_bytes": "int64",
    "archived_bytes": "int64",
    "unpacked_bytes": "int64",
    "bpp": "float64",
    "ms_ssim": "float64",
    "ssimulacra2": "float64",
    "jpeg_ms_ssim": "float64",
    "jpeg_bytes": "int64",
    "jpeg_within_db": "float64",
    "saved": "float64",
    "saved_vs_jpeg": "float64",
    "won": "bool",
    "mode": "string",
    "metadata_bytes": "int64",
    "changed": "timestamp[us, tz=UTC]",
    "archived": "timestamp[ms, tz=UTC]",
    "segment": "int64",
    "entry": "string",
    "source_sha256": "string",
    "payload_sha256": "string",
    "model": "string",
    "recipe": "string",
    "engine": "string",
    "seconds": "float64",
}


def check_parquet(file: Path, *, force: bool) -> None:
    """See that a Parquet file can be written, before anything else is done.

    Raises:
        UsageError: pyarrow is missing, the file is there already or is a folder, or its folder is not there.
    """
    try:
        import pyarrow as pa  # noqa: F401, PLC0415  # of an extra
    except ImportError:
        raise UsageError(MISSING) from None
    if file.is_dir():
        raise UsageError(f"{file}: is a folder; name a file")
    if not force and os.path.lexists(file):
        raise UsageError(f"{file}: is there already; pass --force to overwrite it")
    if not file.parent.is_dir():
        raise UsageError(f"{file.parent}: there is no such folder; make it, or choose another file")


def write_parquet(file: Path, rows: Iterable[Row], archived: Mapping[int, datetime]) -> int:
    """Write rows to a file, which is there in full or not at all; return how many. Memory does not grow by them.

    Args:
        file: takes the place of one that is there.
        rows: what is written.
        archived: when each segment was written.

    Raises:
        ArchiveError: the disk refuses.
    """
    import pyarrow as pa  # noqa: PLC0415  # of an extra
    from pyarrow import parquet  # noqa: PLC0415

    schema = pa.schema([(name, _type(pa, kind)) for name, kind in COLUMNS.items()])
    temp = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    count = 0
    with durable.reported(file):
        try:
            with parquet.ParquetWriter(temp, schema, compression="zstd") as writer:
                for some in _groups(rows):
                    table = pa.Table.from_pylist([fields_of(row, archived) for row in some], schema)
                    writer.write_table(table)
                    count += len(some)
            with temp.open("rb+", buffering=0) as written:
                durable.sync_file(written)
            durable.replace(temp, file)
            durable.sync_folder(file.parent)
        except BaseException:
            with suppress(OSError):
                temp.unlink(missing_ok=True)
            raise
    return count


def fields_of(row: Row, archived: Mapping[int, datetime]) -> dict[str, Any]:
    """Return the values of `COLUMNS`; a time that 64 bits of microseconds cannot hold is None."""
    names = ("mode", "metadata_bytes", "segment", "entry", "source_sha256", "payload_sha256")
    more = {name: getattr(row, name) for name in (*names, "model", "recipe", "engine", "seconds")}
    changed = row.mtime_ns // 1000 if -_INT64 <= row.mtime_ns // 1000 < _INT64 else None
    return {**row_fields(row), **more, "changed": changed, "archived": archived.get(row.segment)}


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    every = iter(rows)
    while some := list(islice(every, GROUP)):
        yield some


def _type(pa: Any, kind: str) -> Any:
    name, _, rest = kind.partition("[")
    return pa.timestamp(rest.partition(",")[0], tz="UTC") if rest else pa.type_for_alias(name)
