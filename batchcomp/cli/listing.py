"""`batchcomp list`."""

from __future__ import annotations

import typer

from batchcomp.cli import console
from batchcomp.cli.foreign import say_foreign
from batchcomp.cli.options import ArchiveArg, JsonOpt


def list_pictures(archive: ArchiveArg = None, as_json: JsonOpt = False) -> None:
    """List the pictures of an archive."""
    from batchcomp.archive import ArchiveReader
    from batchcomp.cli.state import choose_archive
    from batchcomp.report.rows import row_fields

    opened = ArchiveReader.open(choose_archive(archive))
    say_foreign(opened.folder)
    rows = list(opened.rows())
    for row in rows:
        if as_json:
            fields = {"segment": row.place[0], "entry": row.entry, "source_sha256": row.source_sha256}
            console.json_line("picture", **row_fields(row), **fields, mtime_ns=row.mtime_ns, model=row.model)
        else:
            console.write(console.shown(row.path) + "\n")
    raise typer.Exit(console.say_damage(opened.damage, as_json=as_json, pictures=len(rows)))
