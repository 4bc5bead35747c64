"""What a report comes to in all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from batchcomp.report.rows import ReportRow, is_large
from batchcomp.report.tally import Tally


class Worst(NamedTuple):
    """The measured picture of the lowest MS-SSIM, the first of several."""

    ms_ssim: float
    path: str


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Over all pictures of a report; means are over the measured ones."""

    pictures: int
    compact: int
    plain_jpeg: int
    lossless: int
    verbatim: int
    measured: int
    estimated: int  # of these, how many have figures of JPEG that are estimated
    won: int
    source_bytes: int
    archived_bytes: int
    packed: int  # pictures whose payload was packed
    packed_bytes: int
    unpacked_bytes: int  # of the same pictures before
    archive_bytes_on_disk: int
    saved: float
    jpeg_known: int  # pictures of which `jpeg_bytes` is known
    jpeg_bytes: int  # what plain JPEG takes for the same MS-SSIM of these,
    jpeg_rival_bytes: int  # and what they take here
    saved_vs_jpeg: float | None  # of these
    mean_bpp: float | None
    mean_ms_ssim: float | None
    mean_jpeg_ms_ssim: float | None
    mean_ssimulacra2: float | None  # over those that have one
    worst_ms_ssim: float | None
    worst_path: str | None


def totals(rows: Iterable[ReportRow], bytes_on_disk: int) -> Totals:
    """Sum up a report. `bytes_on_disk` is the whole archive, manifests and ZIP headers included."""
    tally = Tally()
    worst: dict[bool, Worst] = {}  # of large pictures, and of the others
    for row in rows:
        tally.add(row)
        if row.ms_ssim is not None and ((large := is_large(row)) not in worst or row.ms_ssim < worst[large].ms_ssim):
            worst[large] = Worst(row.ms_ssim, row.path)
    return summed(tally, worst.get(True) or worst.get(False), bytes_on_disk)


def summed(tally: Tally, worst: Worst | None, bytes_on_disk: int) -> Totals:
    """Return what the sums of a report say. `worst` is none of the tiny pictures unless there are no others."""
    source, archived = tally["source_bytes"], tally["archived_bytes"]
    ours, at_jpeg = tally["jpeg_rival_bytes"], tally["jpeg_bytes"]
    return Totals(
        pictures=tally["pictures"],
        compact=tally["compact"],
        plain_jpeg=tally["plain_jpeg"],
        lossless=tally["lossless"],
        verbatim=tally["verbatim"],
        measured=tally["measured"],
        estimated=tally["estimated"],
        won=tally["won"],
        source_bytes=source,
        archived_bytes=archived,
        packed=tally["packed"],
        packed_bytes=tally["packed_bytes"],
        unpacked_bytes=tally["unpacked_bytes"],
        archive_bytes_on_disk=bytes_on_disk,
        saved=1 - archived / source if source else 0.0,
        jpeg_known=tally["jpeg_known"],
        jpeg_bytes=at_jpeg,
        jpeg_rival_bytes=ours,
        saved_vs_jpeg=1 - ours / at_jpeg if at_jpeg else None,
        mean_bpp=tally.mean("bpp"),
        mean_ms_ssim=tally.mean("ms_ssim"),
        mean_jpeg_ms_ssim=tally.mean("jpeg_ms_ssim"),
        mean_ssimulacra2=tally.mean("ssimulacra2"),
        worst_ms_ssim=worst.ms_ssim if worst else None,
        worst_path=worst.path if worst else None,
    )
