"""`batchcomp bench --speed`."""

from __future__ import annotations

from pathlib import Path

from batchcomp.cli import console
from batchcomp.errors import UsageError


def bench_speed(
    photos: list[Path],
    *,
    json_file: Path | None,
    plot: Path | None,
    model: Path | None,
    device: str,
    jobs: int,
    quick: bool,
    long: bool,
) -> None:
    """Time stages, rivals, networks and whole runs, print the tables, and write them and a plot where asked."""
    from batchcomp.benchmark.speedrun import LONG, QUICK, Plan, run_speed
    from batchcomp.codec.codec import Codec
    from batchcomp.report.speed import speed_sheets
    from batchcomp.settings import available_cores

    if quick and long:
        raise UsageError("--quick and --long: choose one")
    plan = QUICK if quick else LONG if long else Plan()
    threads = jobs or available_cores()
    codec = Codec.open(model, device=device, threads=threads)
    report = run_speed(photos, codec, threads=threads, plan=plan, model=model, on_done=console.say_progress)
    if json_file:
        from batchcomp.archive.durable import atomic_write

        atomic_write(json_file, report.to_json().encode())
    if plot:
        from batchcomp.benchmark.speedplot import plot_speed

        plot_speed(report, plot)
    for sheet in speed_sheets(report):
        console.out().print(console.table_of(sheet.title, sheet.columns, sheet.rows))
