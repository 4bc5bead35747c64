"""`batchcomp bench speed`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batchcomp.cli.bench import page
from batchcomp.cli.bench.options import SPEED, JsonFileOpt, OptionalPicturesArg, show, told, write_json
from batchcomp.cli.bench.page import HtmlOpt
from batchcomp.cli.options import DeviceOpt, ModelOpt
from batchcomp.cli.pictures import find_pictures
from batchcomp.cli.starting import starting
from batchcomp.errors import UsageError
from batchcomp.settings import MAX_JOBS


def bench_speed(
    images: OptionalPicturesArg = None,
    json_file: JsonFileOpt = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the figures here (.png or .svg).")] = None,
    html: HtmlOpt = None,
    curves: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="How codecs compress, as bench curves --json wrote it, to hold against speed."
        ),
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Show an earlier --json file; measure nothing.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A few minutes only.")] = False,
    long: Annotated[bool, typer.Option("--long", help="10,000 files too.")] = False,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs", "-j", metavar="N", min=0, max=MAX_JOBS, help="Threads of everything timed; 0: one a core."
        ),
    ] = 0,
    device: DeviceOpt = "auto",
    model: ModelOpt = None,
) -> None:
    """Measure speed and memory. Stages, rivals, networks and whole runs, all with the largest picture."""
    if quick and long:
        raise UsageError("--quick and --long: choose one")
    if source is None and not images:
        raise UsageError("no photos: name some, or an earlier run's file with --from")
    with starting("Timing"):
        from batchcomp.benchmark.plot import check_suffix
        from batchcomp.benchmark.speedrun import LONG, QUICK, SpeedPlan, run_speed
        from batchcomp.codec.codec import Codec
        from batchcomp.pages.document import check_target
        from batchcomp.report.speed import speed_sheets
        from batchcomp.settings import available_cores

    if plot:
        check_suffix(plot)
    if html:
        check_target(html)
    compressed = page.read(curves) if curves else None  # so that a wrong file is told before the measuring
    if source is not None:
        report = page.read_speed(source)
    else:
        plan = QUICK if quick else LONG if long else SpeedPlan()
        threads = jobs or available_cores()
        photos, codec = find_pictures(images or []), Codec.open(model, device=device, threads=threads)
        with told("Timing", 0) as on_done:
            report = run_speed(
                photos, codec, threads=threads, plan=plan, model=model, on_done=lambda what: on_done(SPEED, what)
            )
    write_json(json_file, report.to_json())
    trade = page.trade_of(compressed, report)
    if plot:
        from batchcomp.benchmark.speedplot import plot_speed

        plot_speed(report, plot, trade)
    if html:
        page.write_speed(html, report, trade)
    show(speed_sheets(report, trade))
