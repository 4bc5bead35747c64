"""`batchcomp diff`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from batchcomp.cli import console, limits, progress
from batchcomp.cli.completion import archives
from batchcomp.cli.options import JsonOpt, moment
from batchcomp.errors import UsageError
from batchcomp.images.names import ARCHIVE_SUFFIX
from batchcomp.places import Place, folder, place

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime

    from batchcomp.pipeline.diff import Finding


def diff(
    archive: Annotated[  # a `Place`: typer takes no unions
        Any, typer.Argument(help="The archive.", metavar="ARCHIVE", autocompletion=archives, parser=place)
    ],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="What compress was given; without it, two moments are compared.", metavar="PATH", parser=folder
        ),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(metavar="DATE", help="The archive as it was then; twice: two moments; once without PATH: to now."),
    ] = None,
    checksum: Annotated[bool, typer.Option("--checksum", help="Read every file, whatever its size and time.")] = False,
    follow_symlinks: limits.FollowOpt = False,
    as_json: JsonOpt = False,
) -> None:
    """Say what changed in a folder since it was archived.

    What is new, changed, missing or moved is named; differences are no error.
    """
    moments = [moment(text) for text in at or ()]
    if len(moments) > (1 if paths else 2):
        raise UsageError(f"--at was given {len(moments)} times: expected at most {1 if paths else 2}")
    if not paths and not moments:
        raise UsageError("nothing to compare with: name the folder that compress was given, or a moment with --at")
    _check_order(archive, paths or ())
    from batchcomp.pipeline.diff import DiffSettings, diff_folder, diff_moments

    found: Generator[Finding]
    if paths:
        then = moments[0] if moments else None
        settings = DiffSettings(
            archive=archive, paths=tuple(paths), at=then, checksum=checksum, follow_symlinks=follow_symlinks
        )
        found = diff_folder(settings)
    else:
        found = diff_moments(archive, moments[0], _second(moments))
    raise typer.Exit(_told(archive, found, as_json=as_json))


def _check_order(archive: Place, paths: Sequence[Path]) -> None:
    """Refuse a folder and its archive the wrong way round.

    Raises:
        UsageError: they are.
    """
    if archive.suffix != ARCHIVE_SUFFIX and (found := next((p for p in paths if p.suffix == ARCHIVE_SUFFIX), None)):
        raise UsageError(f"{archive}: the archive comes first: `batchcomp diff {found} {archive}`")


def _second(moments: list[datetime]) -> datetime | None:
    return moments[1] if len(moments) > 1 else None


def _told(archive: Place, found: Generator[Finding], *, as_json: bool) -> int:
    from batchcomp.pipeline.diff import VERDICTS

    counts = Counter(dict.fromkeys(VERDICTS, 0))
    outcome = progress.watch(
        "Comparing", found, as_json=as_json, show=lambda one: _show(one, counts, as_json=as_json), must_finish=False
    )
    code = int(outcome.exit_code)
    if as_json:
        console.json_line("summary", exit_code=code, **counts, failed=len(outcome.failures))
    else:
        text = ", ".join(f"{verdict} {count:,}" for verdict, count in counts.items())
        console.remark(f"{archive}: {text}" + (f", failed {len(outcome.failures)}" if outcome.failures else ""))
    return code


def _show(one: Any, counts: Counter[str], *, as_json: bool) -> None:
    from batchcomp.pipeline.diff import SAME, Difference

    if not isinstance(one, Difference):
        console.show_event(one, as_json=as_json)
        return
    counts[one.verdict] += 1
    if one.verdict == SAME:
        return
    if as_json:
        console.json_line("difference", path=one.path, verdict=one.verdict, was=one.was)
    else:
        console.write(console.shown(f"{one.verdict}: {f'{one.was} -> ' if one.was else ''}{one.path}") + "\n")
