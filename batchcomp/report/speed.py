"""Speed results as the cells of tables, with the targets beside what was measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from batchcomp.report.sheet import Sheet
from batchcomp.report.text import ABSENT, human

BULK_BYTES = 1.0e9  # most memory for pictures of 12 megapixels in bulk
SMALL_RATE = 200  # small files a second, without measuring
FLAT = 1.1  # seconds a file of the longest run, over those of the run a tenth as long
FIRST_SECONDS = 2


def speed_sheets(report: Any) -> Iterator[Sheet]:
    """The tables of a `batchcomp.benchmark.speedrun.SpeedReport` (not imported: its room needs the extra)."""
    yield _stages(report)
    yield _codecs(report)
    yield _nets(report)
    yield _runs(report)
    yield Sheet(
        title="Targets",
        columns=[("what", "left"), ("target", "right"), ("found", "right"), ("met", "left")],
        rows=[[what, target, found, "yes" if met else "no"] for what, target, found, met in targets(report)],
    )


def targets(report: Any) -> Iterator[tuple[str, str, str, bool]]:
    """Yield what is asked, the target, what was found, and whether it is met."""
    rivals = {rival.name: rival for rival in report.rivals}
    wholes = {whole.what: whole for whole in report.wholes}
    nets, startup = {net.name: net for net in report.nets}, report.startup_seconds
    stages = {stage.name: stage.mps for stage in report.stages}
    bare, avif = wholes["compress"], _speed(rivals, "avif speed 6", "avif")
    jxl = _speed(rivals, "jpegxl effort 7", "jpegxl")
    decode = 1 / (1 / stages["decode"] + 1 / stages["RecCNN"])
    yield _ratio("compress over AVIF speed 6", 3, bare.working_mps(startup) / avif)
    yield _ratio("compress over JPEG XL effort 7", 2, bare.working_mps(startup) / jxl)
    yield _ratio("compress, measured, over AVIF speed 6", 1.2, wholes["compress, measured"].working_mps(startup) / avif)
    yield _ratio("decode to pixels over AVIF speed 6 encoding", 2.5, decode / avif)
    yield _ratio("decode to pixels over hyperprior synthesis", 5, decode / nets["hyperprior synthesis"].mps)
    for name in ("ComCNN", "RecCNN"):
        yield f"{name}, share of matmul peak", "75 %", f"{nets[name].share:.0%}", nets[name].share >= 0.75
    yield from _run_targets(report, bare)


def _speed(rivals: Mapping[str, Any], *names: str) -> float:
    """Return the encoding speed of the first of these that was timed; nan where none was."""
    return next((float(rivals[name].encode_mps) for name in names if name in rivals), math.nan)


def _run_targets(report: Any, bare: Any) -> Iterator[tuple[str, str, str, bool]]:
    if bare.peak_bytes:
        found, met = human(bare.peak_bytes), bare.peak_bytes <= BULK_BYTES
        yield f"memory, {bare.megapixels / bare.files:.0f} MP in bulk", human(int(BULK_BYTES)), found, met
    if bare.first_seconds:
        yield "first picture", f"{FIRST_SECONDS} s", f"{bare.first_seconds:.1f} s", bare.first_seconds <= FIRST_SECONDS
    small = [run for run in report.small_files if run.files >= 10]
    if small:
        rate = small[-1].files / (small[-1].seconds - report.startup_seconds)
        yield f"{small[-1].what}, a second", str(SMALL_RATE), f"{rate:.0f}", rate >= SMALL_RATE
    if len(small) > 1 and small[-2].seconds > 1.5 * report.startup_seconds:  # else noise of the start-up is divided
        long, short = ((run.seconds - report.startup_seconds) / run.files for run in (small[-1], small[-2]))
        growth = long / max(1e-9, short)
        yield (
            f"seconds a file, {small[-1].files:,} over {small[-2].files:,}",
            f"{FLAT}",
            f"{growth:.2f}",
            growth <= FLAT,
        )


def _ratio(what: str, target: float, found: float) -> tuple[str, str, str, bool]:
    return what, f"{target:g} x", f"{found:.2f} x", found >= target


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
        title=f"Rivals, megapixels a second; {report.threads} threads",
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
            str(run.files),
            f"{run.seconds:.1f}",
            f"{run.megapixels / run.seconds:.1f}",
            _working(run, report.startup_seconds),
            f"{run.files / run.seconds:.1f}",
            f"{run.first_seconds:.1f}" if run.first_seconds else ABSENT,
            human(run.peak_bytes) if run.peak_bytes else ABSENT,
        ]
        for run in (*report.wholes, *report.small_files, *report.large_pictures)
    ]
    heads = ("files", "s", "MP/s", "working", "files/s", "first", "memory")
    return Sheet(
        title=f"Whole runs; working: without the start-up of {report.startup_seconds:.1f} s",
        columns=[("run", "left"), *((head, "right") for head in heads)],
        rows=rows,
    )
