"""Curves against curves: quality at a rate, wins per picture, mean curves, BD-rate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import bjontegaard
import numpy as np
from scipy.interpolate import PchipInterpolator

from batchcomp.benchmark.curves import Point
from batchcomp.metrics.ms_ssim import ms_ssim_db

RATES = (0.2, 0.25, 0.35, 0.5, 0.75, 1.0)  # bpp


class OnCurve(Protocol):
    """A point of any curve: bits per pixel, and MS-SSIM in dB."""

    @property
    def bpp(self) -> float: ...

    @property
    def db(self) -> float: ...


@dataclass(frozen=True, kw_only=True)
class MeanPoint:
    """The mean over pictures at one quality of a rival, as published Kodak curves are made."""

    rival: str
    quality: float
    bpp: float
    ms_ssim: float

    @property
    def db(self) -> float:
        """MS-SSIM in dB, of the mean."""
        return ms_ssim_db(self.ms_ssim)


@dataclass(frozen=True, kw_only=True)
class Wins:
    """On how many pictures a rival's MS-SSIM is above the anchor's at one rate."""

    rival: str
    anchor: str
    rate: float  # bpp
    wins: int
    compared: int  # pictures on which both curves reach the rate
    mean_ms_ssim: float | None  # of the rival's mean curve at the rate
    anchor_mean_ms_ssim: float | None


@dataclass(frozen=True, kw_only=True)
class BdRate:
    """Mean change of bytes at equal MS-SSIM against the anchor in percent; negative is better."""

    rival: str
    anchor: str
    of_mean_curve: float | None  # None: the curves do not overlap
    in_usual_span: float | None  # the same, from 12.5 to 20 dB only: does not move with the list of qualities
    mean_of_pictures: float | None  # over the pictures whose curves overlap
    pictures: int  # how many those are
    span: tuple[float, float] | None  # MS-SSIM in dB that both mean curves cover: other spans give other figures


def rising(curve: Iterable[OnCurve]) -> tuple[list[float], list[float]]:
    """Return bpp and dB of the points that cost more and give more than all before; lossless points drop out."""
    rates: list[float] = []
    qualities: list[float] = []
    for point in sorted(curve, key=lambda p: (p.bpp, p.db)):
        if math.isfinite(point.db) and (not rates or (point.bpp > rates[-1] and point.db > qualities[-1])):
            rates.append(point.bpp)
            qualities.append(point.db)
    return rates, qualities


def db_at(curve: Iterable[OnCurve], rate: float) -> float | None:
    """Return the MS-SSIM in dB that a curve has at `rate` bpp: monotone cubic over ln bpp, None outside the curve."""
    rates, qualities = rising(curve)
    if len(rates) < 2 or not rates[0] <= rate <= rates[-1]:
        return None
    at = min(max(math.log(rate), math.log(rates[0])), math.log(rates[-1]))
    return float(PchipInterpolator(np.log(rates), qualities)(at))


def ms_ssim_at(curve: Iterable[OnCurve], rate: float) -> float | None:
    """Return `db_at` as plain MS-SSIM, 0 to 1."""
    db = db_at(curve, rate)
    return None if db is None else 1 - 10 ** (-db / 10)


USUAL_SPAN = (12.5, 20.0)  # dB of MS-SSIM, .944 to .990: from small but sound to hard to tell from the original


def within(curve: Iterable[OnCurve], span: tuple[float, float]) -> list[OnCurve]:
    """Return the part of a curve inside a span of dB, its ends interpolated (piecewise cubic in ln bpp)."""
    rates, qualities = rising(curve)
    if len(rates) < 2:
        return []
    rate_at = PchipInterpolator(qualities, np.log(rates), extrapolate=False)
    inside = [q for q in qualities if span[0] < q < span[1]]
    ends = [q for q in span if qualities[0] <= q <= qualities[-1]]
    return [
        MeanPoint(rival="", quality=q, bpp=float(np.exp(rate_at(q))), ms_ssim=1 - 10 ** (-q / 10))
        for q in sorted({*inside, *ends})
    ]


def bd_rate(anchor: Iterable[OnCurve], test: Iterable[OnCurve], *, span: tuple[float, float] | None = None) -> float:
    """Return the mean change of bytes at equal MS-SSIM, in percent.

    Bjontegaard 2001 (VCEG-M33) in the MS-SSIM dB domain, piecewise cubic (Akima), over the interval of qualities
    that both curves cover, or the part of it inside `span` (dB).

    Raises:
        ValueError: The curves do not overlap, or one has fewer than two points.
    """
    anchor, test = list(anchor), list(test)
    if span is not None:
        anchor, test = within(anchor, span), within(test, span)
    (anchor_rates, anchor_db), (test_rates, test_db) = rising(anchor), rising(test)
    if min(len(anchor_db), len(test_db)) < 2:
        raise ValueError("a BD-rate needs at least two rising points on either curve: add qualities")
    if common_span(anchor, test) is None:
        spans = f"{anchor_db[0]:.1f}..{anchor_db[-1]:.1f} dB and {test_db[0]:.1f}..{test_db[-1]:.1f} dB"
        raise ValueError(f"the curves do not overlap: {spans}; add qualities")
    change = bjontegaard.bd_rate(
        anchor_rates, anchor_db, test_rates, test_db, "akima", require_matching_points=False, min_overlap=0
    )
    return float(change)


def common_span(anchor: Iterable[OnCurve], test: Iterable[OnCurve]) -> tuple[float, float] | None:
    """Return the lowest and the highest dB that both curves cover, None if there are none."""
    sides = [rising(curve)[1] for curve in (anchor, test)]
    if not all(sides):
        return None
    low, high = max(side[0] for side in sides), min(side[-1] for side in sides)
    return (low, high) if low < high else None


def mean_curve(points: Iterable[Point]) -> list[MeanPoint]:
    """Return the mean bpp and mean MS-SSIM over pictures at each quality of one rival, in order of bpp."""
    groups: dict[float, list[Point]] = {}
    for point in points:
        groups.setdefault(point.quality, []).append(point)
    means = [
        MeanPoint(
            rival=group[0].rival,
            quality=quality,
            bpp=float(np.mean([p.bpp for p in group])),
            ms_ssim=float(np.mean([p.ms_ssim for p in group])),
        )
        for quality, group in groups.items()
    ]
    return sorted(means, key=lambda mean: mean.bpp)


def of_rival(points: Iterable[Point], rival: str) -> list[Point]:
    return [point for point in points if point.rival == rival]


def by_picture(points: Iterable[Point]) -> dict[str, list[Point]]:
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(point.picture, []).append(point)
    return groups


def count_wins(points: Sequence[Point], rival: str, anchor: str, rate: float) -> Wins:
    """Compare a rival with the anchor picture by picture at one rate in bpp."""
    own, other = of_rival(points, rival), of_rival(points, anchor)
    anchors = by_picture(other)
    pairs = [(db_at(curve, rate), db_at(anchors.get(name, ()), rate)) for name, curve in by_picture(own).items()]
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    return Wins(
        rival=rival,
        anchor=anchor,
        rate=rate,
        wins=sum(a > b for a, b in both),
        compared=len(both),
        mean_ms_ssim=ms_ssim_at(mean_curve(own), rate),
        anchor_mean_ms_ssim=ms_ssim_at(mean_curve(other), rate),
    )


def compare_bd_rate(points: Sequence[Point], rival: str, anchor: str) -> BdRate:
    """Return the BD-rate of a rival: of the mean curves, and the mean over pictures of their own."""
    own, other = of_rival(points, rival), of_rival(points, anchor)
    anchors = by_picture(other)
    each = [_overlapping_bd_rate(anchors.get(name, ()), curve) for name, curve in by_picture(own).items()]
    found = [change for change in each if change is not None]
    means = mean_curve(other), mean_curve(own)
    return BdRate(
        rival=rival,
        anchor=anchor,
        of_mean_curve=_overlapping_bd_rate(*means),
        in_usual_span=_overlapping_bd_rate(*(within(curve, USUAL_SPAN) for curve in means)),
        mean_of_pictures=float(np.mean(found)) if found else None,
        pictures=len(found),
        span=common_span(*means),
    )


def _overlapping_bd_rate(anchor: Iterable[OnCurve], test: Iterable[OnCurve]) -> float | None:
    try:
        return bd_rate(anchor, test)
    except ValueError:
        return None
