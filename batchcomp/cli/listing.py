"""`batchcomp list`."""

from __future__ import annotations

import typer

from batchcomp.cli import console
from batchcomp.cli.options import ArchiveArg, JsonOpt
from batchcomp.errors import ExitCode


def list_pictures(archive: ArchiveArg = None, as_json: JsonOpt = False) -> None:
    """List the pictures of an archive."""
    from batchcomp.archive import Archive
    from batchcomp.cli.state import choose_archive
    from batchcomp.report.rows import row_fields

    opened = Archive.open(choose_archive(archive))
    for row in opened.rows():
        if as_json:
            fields = {"segment": row.segment, "entry": row.entry, "source_sha256": row.source_sha256}
            console.json_line("picture", **row_fields(row), **fields, mtime_ns=row.mtime_ns, model=row.model)
        else:
            typer.echo(console.shown(row.path))
    for damage in opened.damage:
        console.say(f"damaged: {damage}", style="red")
    raise typer.Exit(ExitCode.DAMAGED if opened.damage else ExitCode.DONE)
