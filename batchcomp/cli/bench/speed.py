"""`batchcomp bench speed`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from batchcomp.cli.bench.options import SPEED, JsonFileOpt, PicturesArg, show, told, write_json
from batchcomp.cli.options import DeviceOpt, ModelOpt
from batchcomp.cli.pictures import find_pictures
from batchcomp.errors import UsageError


def bench_speed(
    images: PicturesArg,
    json_file: JsonFileOpt = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the figures here (.png or .svg).")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A few minutes only.")] = False,
    long: Annotated[bool, typer.Option("--long", help="10,000 files too.")] = False,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", metavar="N", min=0, help="Threads of everything timed; 0: one a core.")
    ] = 0,
    device: DeviceOpt = "auto",
    model: ModelOpt = None,
) -> None:
    """Measure speed and memory. Stages, rivals, networks and whole runs, all with the largest picture."""
    if quick and long:
        raise UsageError("--quick and --long: choose one")
    from batchcomp.benchmark.plot import check_suffix
    from batchcomp.benchmark.speedrun import LONG, QUICK, SpeedPlan, run_speed
    from batchcomp.codec.codec import Codec
    from batchcomp.report.speed import speed_sheets
    from batchcomp.settings import available_cores

    if plot:
        check_suffix(plot)
    plan = QUICK if quick else LONG if long else SpeedPlan()
    threads = jobs or available_cores()
    photos, codec = find_pictures(images), Codec.open(model, device=device, threads=threads)
    with told("Timing", 0) as on_done:
        report = run_speed(
            photos, codec, threads=threads, plan=plan, model=model, on_done=lambda what: on_done(SPEED, what)
        )
    write_json(json_file, report.to_json())
    if plot:
        from batchcomp.benchmark.speedplot import plot_speed

        plot_speed(report, plot)
    show(speed_sheets(report))
