"""Benchmark results as the cells of tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from batchcomp.report.sheet import Sheet
from batchcomp.report.text import ABSENT, number
from batchcomp.report.trade import TradePoint, trade_sheet


def sheets(result: Any, trade: Sequence[TradePoint] = ()) -> Iterator[Sheet]:
    """The tables of a `batchcomp.benchmark.run.BenchResult` (not imported: its room needs the extra)."""
    if result.bd_rates:
        yield from _bd_rates(result)
        yield from _eye_rates(result)
        yield from _wins(result)
    if result.guard_summaries:
        yield _guards(result)
    if result.speeds:
        yield _speeds(result)
    if trade:
        yield trade_sheet(trade)


def _columns(first: str, *others: str) -> list[tuple[str, str]]:
    return [(first, "left"), *((other, "right") for other in others)]


def _bd_rates(result: Any) -> Iterator[Sheet]:
    for anchor in dict.fromkeys(one.anchor for one in result.bd_rates):
        yield Sheet(
            title=f"BD-rate against {_said(anchor)} at equal MS-SSIM, {len(result.pictures)} pictures "
            "(negative: fewer bytes)",
            columns=_columns("codec", "mean curve", "12.5 to 20 dB", "mean of pictures", "pictures"),
            rows=[
                [
                    b.rival,
                    _percent(b.of_mean_curve),
                    _percent(b.in_usual_span),
                    _percent(b.mean_of_pictures),
                    str(b.pictures),
                ]
                for b in result.bd_rates
                if b.anchor == anchor
            ],
        )


def _said(anchor: str) -> str:
    """How titles call what is compared with."""
    return {"jpeg": "JPEG", "mozjpeg": "MozJPEG with trellis"}.get(anchor, anchor)


def _eye_rates(result: Any) -> Iterator[Sheet]:
    found = {(rate.anchor, rate.rival, rate.low): rate for rate in result.eye_rates}
    ranges = sorted({(rate.low, rate.high) for rate in result.eye_rates})
    for anchor in dict.fromkeys(rate.anchor for rate in result.eye_rates):
        rivals = dict.fromkeys(rate.rival for rate in result.eye_rates if rate.anchor == anchor)
        yield Sheet(
            title=f"Bytes against {anchor} at equal SSIMULACRA2, by its score (negative: fewer; /pictures)",
            columns=_columns("codec", *(f"{low:g} to {high:g}" for low, high in ranges)),
            rows=[[rival, *(_eye_rate(found[anchor, rival, low]) for low, _ in ranges)] for rival in rivals],
        )


def _eye_rate(rate: Any) -> str:
    return f"{_percent(rate.mean_of_pictures)}  /{rate.pictures}"


def _percent(value: float | None) -> str:
    return ABSENT if value is None else f"{value:+.1f} %"


def _wins(result: Any) -> Iterator[Sheet]:
    rates = sorted({wins.rate for wins in result.wins})
    for anchor in dict.fromkeys(wins.anchor for wins in result.wins):
        found = {(wins.rival, wins.rate): wins for wins in result.wins if wins.anchor == anchor}
        rivals = list(dict.fromkeys(rival for rival, _ in found))
        last = [anchor, *(number(found[rivals[0], rate].anchor_mean_ms_ssim, 4) for rate in rates)]
        yield Sheet(
            title=f"Mean MS-SSIM at bits per pixel, and pictures above {_said(anchor)}",
            columns=_columns("codec", *(f"{rate:g} bpp" for rate in rates)),
            rows=[*([rival, *(_win(found[rival, rate]) for rate in rates)] for rival in rivals), last],
        )


def _win(wins: Any) -> str:
    return f"{number(wins.mean_ms_ssim, 4)}  {wins.wins}/{wins.compared}"


def _guards(result: Any) -> Sheet:
    rows = []
    for at in result.guard_summaries:
        for name, places in (("ms_ssim", 4), ("ssimulacra2", 1), ("psnr", 2), ("ciede2000", 2)):
            ours, jpeg = getattr(at, name)
            wins = f"{getattr(at, f'{name}_wins')}/{at.pictures}"
            rows.append([f"{at.rate:g}", name, number(ours, places), number(jpeg, places), wins])
    return Sheet(
        title="Guards: batchcomp and JPEG at the same bytes (ciede2000: lower is better)",
        columns=_columns("bpp", "measure", "batchcomp", "JPEG", "pictures won"),
        rows=rows,
    )


def _speeds(result: Any) -> Sheet:
    rows = [
        [s.rival, f"{s.quality:g}", number(s.bpp, 3), f"{s.encode_mps:.1f}", f"{s.decode_mps:.1f}"]
        for s in result.speeds
    ]
    threads = result.speeds[0].threads
    return Sheet(
        title=f"Megapixels per second on the largest picture, {threads} threads",
        columns=_columns("codec", "quality", "bpp", "encode", "decode"),
        rows=rows,
    )
