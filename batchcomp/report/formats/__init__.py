"""The forms a report can take. A new one is a file in this folder and a line in `FORMATS`."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING

from batchcomp.errors import UsageError

if TYPE_CHECKING:
    from batchcomp.report.formats.base import Format

TABLE, JSON, CSV = "table", "json", "csv"

# name, as `report --format` takes it -> MODULE:FUNCTION, imported when it is asked for
FORMATS = {
    TABLE: "batchcomp.report.formats.table:write",
    JSON: "batchcomp.report.formats.json_lines:write",
    CSV: "batchcomp.report.formats.csv_file:write",
}


def find_format(name: str) -> Format:
    """Return the format of this name.

    Raises:
        UsageError: there is none.
    """
    if name not in FORMATS:
        raise UsageError(f"--format {name!r}: expected one of {', '.join(FORMATS)}")
    found: Format = resolve_name(FORMATS[name])
    return found
