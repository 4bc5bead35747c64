"""Speed results as the cells of tables, with the targets beside what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from batchcomp.report.scaling import scaling_sheets
from batchcomp.report.sheet import Sheet
from batchcomp.report.text import ABSENT, human
from batchcomp.report.trade import TradePoint, trade_sheet

BULK_BYTES = 1_000_000_000  # most memory for pictures of 12 megapixels in bulk
SMALL_RATE = 200  # small files a second, without measuring
EXTRA_BYTES = 200  # of an archive beyond its payloads, a picture
FLAT = 1.1  # seconds a file of the longest run, over those of the run a tenth as long
FIRST_SECONDS, ONE_SECONDS = 2, 1.2
FEW = 10  # files: fewer say nothing about many
LIGHT = "fast"  # the model that runs name at their end


def speed_sheets(report: Any, trade: Sequence[TradePoint] = ()) -> Iterator[Sheet]:
    """The tables of a `batchcomp.benchmark.speedrun.SpeedReport` (not imported: its room needs the extra)."""
    yield _stages(report)
    yield _codecs(report)
    yield _nets(report)
    yield _runs(report)
    yield from scaling_sheets(report)
    if trade:
        yield trade_sheet(trade)
    yield Sheet(
        title="Targets",
        columns=[("what", "left"), ("target", "right"), ("found", "right"), ("met", "left")],
        rows=[[what, target, found, "yes" if met else "no"] for what, target, found, met in targets(report)],
    )


def targets(report: Any) -> Iterator[tuple[str, str, str, bool]]:
    """Yield what is asked, the target, what was found, and whether it is met; what was not run is not."""
    wholes = {whole.what: whole for whole in report.wholes}
    yield from _model_targets(report, wholes, "")
    yield _over_pace(report, wholes, "compress", 0.9, "compress, large model")
    yield from _single_targets(report.large_pictures, wholes, "")
    yield from _small_targets(report, [run for run in report.small_files if run.files >= FEW])
    mark = f", {LIGHT}"
    if f"compress{mark}" in wholes:
        small = [run for run in report.wholes if "files of" in run.what and run.files >= FEW]
        yield from _model_targets(report, wholes, mark)
        yield from _single_targets(report.wholes, wholes, mark)
        yield from _small_targets(report, small)


def _model_targets(report: Any, wholes: Mapping[str, Any], mark: str) -> Iterator[tuple[str, str, str, bool]]:
    yield _over_pace(report, wholes, f"compress, measured{mark}", 1.2)
    yield _over_pace(report, wholes, f"compress{mark}", 3)
    yield _over_pace(report, wholes, f"decode to PNG{mark}", 2.5)


def _single_targets(runs: Sequence[Any], wholes: Mapping[str, Any], mark: str) -> Iterator[tuple[str, str, str, bool]]:
    """What single pictures take to be stored, and memory."""
    singles = {run.what: run for run in runs}
    for what, target, size, until in (
        ("first picture of 12 MP done", FIRST_SECONDS, 12, "first"),
        ("one picture of 1 MP, whole run", ONE_SECONDS, 1, "whole"),
    ):
        yield _seconds(f"{what}{mark}", target, singles.get(f"one picture of {size} MP, measured{mark}"), until)
    measured = wholes.get(f"compress, measured{mark}")
    bulk = f"memory, {measured.megapixels / measured.files:.0f} MP in bulk" if measured else "memory in bulk"
    peak: int = measured.peak_bytes or 0 if measured else 0
    yield f"{bulk}, measured{mark}", human(BULK_BYTES), human(peak) if peak else ABSENT, 0 < peak <= BULK_BYTES


def _over_pace(
    report: Any, wholes: Mapping[str, Any], what: str, target: float, called: str = ""
) -> tuple[str, str, str, bool]:
    """A whole run without its start, over AVIF at speed 6 encoding the same pictures."""
    run, whole = wholes.get(what), f"{called or what}, over AVIF speed 6"
    if run is None or run.seconds <= report.startup_seconds:  # so short a run says nothing of speed
        return whole, f"{target:g} x", ABSENT, False
    found = run.working_mps(report.startup_seconds) / report.pace_mps
    return whole, f"{target:g} x", f"{found:.2f} x", found >= target


def _seconds(what: str, target: float, run: Any, until: str) -> tuple[str, str, str, bool]:
    """From the start of the process until its first picture is stored, or until it ends."""
    seconds = None if run is None else run.first_seconds if until == "first" else run.seconds
    if seconds is None:
        return what, f"{target:g} s", ABSENT, False
    return what, f"{target:g} s", f"{seconds:.2f} s", seconds <= target


def _small_targets(report: Any, small: Sequence[Any]) -> Iterator[tuple[str, str, str, bool]]:
    """Many small files; `small` are runs over ever more of them."""
    if not small:
        return
    long = small[-1]
    mark = f", {LIGHT}" if long.what.endswith(f", {LIGHT}") else ""
    seconds = long.seconds - report.startup_seconds
    rate = long.files / seconds if seconds > 0 else 0.0
    yield (
        f"{long.what.removesuffix(mark)}, a second{mark}",
        str(SMALL_RATE),
        f"{rate:.0f}" if rate else ABSENT,
        rate >= SMALL_RATE,
    )
    if long.extra_bytes is not None:
        extra = long.extra_bytes
        yield (
            f"archive beyond payloads, a picture{mark}",
            f"{EXTRA_BYTES} bytes",
            f"{extra:.0f} bytes",
            extra <= EXTRA_BYTES,
        )
    if len(small) > 1 and small[-2].seconds > 1.5 * report.startup_seconds:  # else noise of the start-up is divided
        more, fewer = ((run.seconds - report.startup_seconds) / run.files for run in (long, small[-2]))
        growth = more / max(1e-9, fewer)
        what = f"seconds a file, {long.files:,} over {small[-2].files:,}"
        yield what, f"{FLAT}", f"{growth:.2f}", growth <= FLAT


def _stages(report: Any) -> Sheet:
    return Sheet(
        title=f"Stages, megapixels a second: {report.picture}, {report.megapixels:.1f} MP",
        columns=[("stage", "left"), ("MP/s", "right")],
        rows=[[stage.name, f"{stage.mps:.1f}"] for stage in report.stages],
    )


def _codecs(report: Any) -> Sheet:
    rows = [
        [r.name, f"{r.bpp:.2f}", f"{r.encode_mps:.1f}", _times(r.over_pace), f"{r.decode_mps:.1f}"]
        for r in report.rivals
    ]
    return Sheet(
        title=f"Rivals, MP/s, {report.threads} threads; AVIF 6 beside the whole runs: {report.pace_mps:.1f}",
        columns=[("codec", "left"), *((head, "right") for head in ("bpp", "encode", "of AVIF 6", "decode"))],
        rows=rows,
    )


def _nets(report: Any) -> Sheet:
    rows = [
        [net.name, f"{net.kmacs:.1f}", f"{net.mps:.1f}", f"{net.gflops:.0f}", _share(net.gflops / report.peak_gflops)]
        for net in report.nets
    ]
    return Sheet(
        title=f"Networks by {report.engine} on {report.device}; float32 matmul peak {report.peak_gflops:.0f} GFLOP/s",
        columns=[("network", "left"), *((name, "right") for name in ("kMAC/px", "MP/s", "GFLOP/s", "of peak"))],
        rows=rows,
    )


def _times(ratio: float | None) -> str:
    return ABSENT if ratio is None else f"{ratio:.2f} x"


def _share(value: float) -> str:
    return f"{value:.0%}"


def _working(run: Any, startup: float) -> str:
    """Without the start-up, where that leaves enough to divide by."""
    return f"{run.working_mps(startup):.1f}" if run.seconds > 1.5 * startup else ABSENT


def _runs(report: Any) -> Sheet:
    rows = [
        [
            run.what,
            f"{run.seconds:.1f}",
            f"{run.megapixels / run.seconds:.1f}",
            _working(run, report.startup_seconds),
            f"{run.first_seconds:.1f}" if run.first_seconds else ABSENT,
            human(run.peak_bytes) if run.peak_bytes else ABSENT,
        ]
        for run in (*report.wholes, *report.small_files, *report.large_pictures)
    ]
    heads = ("s", "MP/s", "working", "first", "memory")
    return Sheet(
        title=f"Whole runs; working: without the start-up of {report.startup_seconds:.1f} s",
        columns=[("run", "left"), *((head, "right") for head in heads)],
        rows=rows,
    )
