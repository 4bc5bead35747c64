"""`batchcomp verify`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from batchcomp.cli import console, outside, parity, progress
from batchcomp.cli.foreign import say_foreign
from batchcomp.cli.jobs import EngineOpt, SchedulerOpt, executor_of, say_open
from batchcomp.cli.options import ArchiveArg, DeviceOpt, JsonOpt, ModelOpt, OutsideOpt
from batchcomp.cli.starting import starting
from batchcomp.errors import ExitCode
from batchcomp.places import Place, folder


def verify(
    archive: ArchiveArg = None,
    sample: Annotated[
        str, typer.Option("--sample", metavar="PERCENT", help="Read only so many of the pictures, others each time.")
    ] = "100%",
    decode: Annotated[bool, typer.Option("--decode", help="Restore every picture too, in memory.")] = False,
    sources: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="Compare with the originals: the PATH that compress was given; can be repeated.",
            parser=folder,
        ),
    ] = None,
    list_outside: OutsideOpt = False,
    device: DeviceOpt = "auto",
    model: ModelOpt = None,
    engine: EngineOpt = "local",
    scheduler: SchedulerOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """Check every byte of an archive. Each is compared with its checksum."""
    with starting("Verifying"):
        from batchcomp.amount import Amount
        from batchcomp.cli.gauge import Gauge, listener_of
        from batchcomp.cli.state import choose_archive
        from batchcomp.pipeline.sampling import percentage
        from batchcomp.pipeline.sources import VERDICTS
        from batchcomp.pipeline.spread_reading import VerifyOver
        from batchcomp.pipeline.verify import VerifySettings, verify_archive

    settings = VerifySettings(
        archive=choose_archive(archive),
        share=percentage(sample),
        decode=decode,
        sources=tuple(sources or ()),
        device=device,
        model=model,
    )
    say_foreign(settings.archive)
    say_open(settings.archive, "their numbers are no damage")
    counts = Counter({f"sources_{verdict}": 0 for verdict in VERDICTS} if sources else {})
    amount = Amount()
    shown = Gauge("Verifying", amount)
    amount.listener = listener_of(shown, as_json=as_json)
    with executor_of(engine, scheduler) as executor:
        outcome = progress.watch(
            "Verifying",
            verify_archive(settings, VerifyOver(executor) if executor else None, amount),
            as_json=as_json,
            shown=None if executor else shown,
            show=lambda one: _show(one, counts, as_json=as_json),
            must_finish=False,
        )
    if decode:
        counts.update(restored=outcome.counts["done"], not_restored=sum(not one.pixels for one in outcome.failures))
        counts.update(pixels_proved=0, pixels_not_recorded=0, pixels_different=0)
    if list_outside:
        counts["outside"] = outside.show(settings.archive, as_json=as_json)
    code = max(
        ExitCode.DAMAGED if counts["damaged"] else ExitCode.DONE,  # damage counts more than files that failed
        outcome.exit_code,
        ExitCode.SOME_FAILED if counts["sources_different"] else ExitCode.DONE,
    )
    if as_json:
        console.json_line("summary", exit_code=int(code), **counts)
    else:
        _say_summary(settings.archive, counts)
    raise typer.Exit(code)


def _show(finding: Any, counts: Counter[str], *, as_json: bool) -> None:
    """Say what a person should know at once, and count what is no event of a picture."""
    from batchcomp.archive import Damage, Standing, VerifyReport
    from batchcomp.pipeline.sources import DIFFERENT, Compared

    match finding:
        case Damage():
            console.show_damage(finding, as_json=as_json)
        case VerifyReport():
            counts.update(segments=finding.segments, entries=finding.entries, checked=finding.checked)
            counts.update(bytes=finding.bytes, damaged=len(finding.damage))
        case Standing():
            parity.show(finding, counts, as_json=as_json)
        case Compared():
            counts[f"sources_{finding.verdict}"] += 1
            if as_json:
                console.json_line("source", path=finding.row.path, verdict=finding.verdict, reason=finding.reason)
            elif finding.reason:
                style = console.PROBLEM if finding.verdict == DIFFERENT else ""
                console.say(f"{finding.verdict}: {finding.reason}", style=style)
        case _:
            console.show_event(finding, as_json=as_json)
            _count_pixels(finding, counts)


def _count_pixels(finding: Any, counts: Counter[str]) -> None:
    """Count what comparing pixels came to, and tell of those that another engine made differently."""
    from batchcomp.pipeline.records import Done, Failed

    if isinstance(finding, Failed):
        counts["pixels_different"] += finding.pixels
    elif isinstance(finding, Done) and finding.pixels:
        counts[f"pixels_{finding.pixels.replace(' ', '_')}"] += 1
        if finding.note:
            console.say(finding.note)


def _say_summary(archive: Place, counts: Counter[str]) -> None:
    text = f"{archive}: segments {counts['segments']}, pictures {counts['entries']}, bytes {counts['bytes']:,}"
    if "restored" in counts:
        text += f", restored {counts['restored']}, pixels proved {counts['pixels_proved']}"
        odd = {"not restored": "not_restored", "not recorded": "pixels_not_recorded", "different": "pixels_different"}
        text += "".join(f", {what} {counts[name]}" for what, name in odd.items() if counts[name])
    if "sources_same" in counts:
        text += ", originals " + ", ".join(
            f"{name.removeprefix('sources_')} {count}" for name, count in counts.items() if name.startswith("sources_")
        )
    if "outside" in counts:
        text += f", outside {counts['outside']}"
    if counts["recovery_segments"]:
        text += parity.summary(counts)
    console.remark(f"{text}: {counts['damaged'] or 'no'} damage{'s' * (counts['damaged'] > 1)} found")
