"""`batchcomp verify`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchcomp.cli import console
from batchcomp.cli.options import ArchiveArg, DeviceOpt, JsonOpt, ModelOpt
from batchcomp.errors import ExitCode

if TYPE_CHECKING:
    from batchcomp.archive import Row
    from batchcomp.pipeline.records import Outcome

    Choose = Callable[[Row], bool]


def verify(
    archive: ArchiveArg = None,
    sample: Annotated[
        str, typer.Option("--sample", metavar="PERCENT", help="Read only so many of the pictures, others each time.")
    ] = "100%",
    decode: Annotated[bool, typer.Option("--decode", help="Restore every picture too, in memory.")] = False,
    sources: Annotated[
        list[Path] | None,
        typer.Option(help="Compare with the originals: the PATH that compress was given; can be repeated."),
    ] = None,
    device: DeviceOpt = "auto",
    model: ModelOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """Check every byte of an archive. Each is compared with its checksum."""
    from batchcomp.archive import verify as verify_archive
    from batchcomp.cli.state import choose_archive
    from batchcomp.pipeline.sampling import percentage, sampler

    folder, choose = choose_archive(archive), sampler(percentage(sample))
    found = verify_archive(folder, choose=choose)
    for damage in found.damage:
        console.show_damage(damage, as_json=as_json)
    counts = {
        "segments": found.segments,
        "entries": found.entries,
        "checked": found.checked,
        "bytes": found.bytes,
        "damaged": len(found.damage),
    }
    codes = [ExitCode.DONE if found.ok else ExitCode.DAMAGED]
    if decode:
        restored = _restore(folder, device, model, choose, as_json=as_json)
        codes.append(restored.exit_code)
        counts |= {"restored": restored.counts["done"], "not_restored": len(restored.failures)}
    if sources:
        counts |= _compare(folder, sources, choose, as_json=as_json)
        codes.append(ExitCode.SOME_FAILED if counts["sources_different"] else ExitCode.DONE)
    code = max(codes)  # damage counts more than files that failed
    if as_json:
        console.json_line("summary", exit_code=int(code), **counts)
    else:
        _say_summary(folder, counts)
    raise typer.Exit(code)


def _restore(folder: Path, device: str, model: Path | None, choose: Choose, *, as_json: bool) -> Outcome:
    from batchcomp.pipeline.decode import check_archive

    with console.progress("Restoring", as_json=as_json) as on_event:
        return check_archive(folder, device=device, model=model, choose=choose, on_event=on_event)


def _compare(folder: Path, paths: list[Path], choose: Choose, *, as_json: bool) -> dict[str, int]:
    """Compare with the originals, say what is not the same, and return how many are what."""
    from batchcomp.pipeline.sources import CHANGED, DIFFERENT, MISSING, SAME, compare_sources

    counts = {f"sources_{verdict}": 0 for verdict in (SAME, CHANGED, MISSING, DIFFERENT)}
    for one in compare_sources(folder, paths, choose):
        counts[f"sources_{one.verdict}"] += 1
        if as_json:
            console.json_line("source", path=one.row.path, verdict=one.verdict, reason=one.reason)
        elif one.reason:
            console.say(f"{one.verdict}: {one.reason}", style=console.PROBLEM if one.verdict == DIFFERENT else "")
    return counts


def _say_summary(folder: Path, counts: dict[str, int]) -> None:
    text = f"{folder}: segments {counts['segments']}, pictures {counts['entries']}, bytes {counts['bytes']:,}"
    if "restored" in counts:
        text += f", restored {counts['restored']}, not restored {counts['not_restored']}"
    if "sources_same" in counts:
        text += ", originals " + ", ".join(
            f"{name.removeprefix('sources_')} {count}" for name, count in counts.items() if name.startswith("sources_")
        )
    console.remark(f"{text}: {counts['damaged'] or 'no'} damage{'s' * (counts['damaged'] > 1)} found")
