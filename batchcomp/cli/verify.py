"""`batchcomp verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchcomp.cli import console
from batchcomp.cli.options import ArchiveArg, DeviceOpt, JsonOpt, ModelOpt
from batchcomp.errors import ExitCode

if TYPE_CHECKING:
    from batchcomp.pipeline.records import Outcome


def verify(
    archive: ArchiveArg = None,
    decode: Annotated[bool, typer.Option("--decode", help="Restore every picture too, in memory.")] = False,
    device: DeviceOpt = "auto",
    model: ModelOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """Check every byte of an archive. Each is compared with its checksum."""
    from batchcomp.archive import verify as verify_archive
    from batchcomp.cli.state import choose_archive

    folder = choose_archive(archive)
    found = verify_archive(folder)
    for damage in found.damage:
        console.show_damage(damage, as_json=as_json)
    restored = _restore(folder, device, model, as_json=as_json) if decode else None
    code = ExitCode.DAMAGED if not found.ok else restored.exit_code if restored else ExitCode.DONE
    counts = {"segments": found.segments, "entries": found.entries, "bytes": found.bytes, "damaged": len(found.damage)}
    if restored:
        counts |= {"restored": restored.counts["done"], "not_restored": len(restored.failures)}
    if as_json:
        console.json_line("summary", exit_code=int(code), **counts)
    else:
        _say_summary(folder, counts)
    raise typer.Exit(code)


def _restore(folder: Path, device: str, model: Path | None, *, as_json: bool) -> Outcome:
    from batchcomp.pipeline.decode import check_archive

    with console.progress("Restoring", as_json=as_json) as on_event:
        return check_archive(folder, device=device, model=model, on_event=on_event)


def _say_summary(folder: Path, counts: dict[str, int]) -> None:
    text = f"{folder}: segments {counts['segments']}, pictures {counts['entries']}, bytes {counts['bytes']:,}"
    if "restored" in counts:
        text += f", restored {counts['restored']}, not restored {counts['not_restored']}"
    console.remark(f"{text}: {counts['damaged'] or 'no'} damage{'s' * (counts['damaged'] > 1)} found")
