"""The arithmetic of a report, by hand."""

from __future__ import annotations

import pytest

from batchcomp.archive import JpegComparison, Row
from batchcomp.report.rows import ReportRow, report_row, row_fields
from tests.archive.samples import sample_row, verbatim_row


def jpeg(size: int, ms_ssim: float, at_equal: int | None) -> JpegComparison:
    return JpegComparison(quality=30, bytes=size, ms_ssim=ms_ssim, bytes_at_ms_ssim=at_equal)


def compact(path: str = "a.png", **fields: object) -> Row:
    usual = {"width": 100, "height": 80, "source_bytes": 10_000, "payload_bytes": 1_000, "jpeg": jpeg(990, 0.95, 1_600)}
    return sample_row(path, **{**usual, **fields})


def test_a_row_without_metadata() -> None:
    """Bpp is payload bits a pixel; savings are fractions of the source's and of JPEG's bytes."""
    row = report_row(compact())
    assert row.bpp == 1_000 * 8 / 8_000
    assert row.saved == pytest.approx(0.9)
    assert row.jpeg_bytes == 1_600
    assert row.saved_vs_jpeg == pytest.approx(1 - 1_000 / 1_600)
    assert (row.ms_ssim, row.jpeg_ms_ssim, row.won) == (0.98, 0.95, True)


def test_metadata_burdens_both_sides() -> None:
    """The rival's bytes get the metadata that the payload carries, so that it cancels out."""
    row = report_row(compact(payload_bytes=1_400, metadata_bytes=400))
    assert row.archived_bytes == 1_400
    assert row.jpeg_bytes == 2_000
    assert row.saved_vs_jpeg == pytest.approx(1 - 1_400 / 2_000)
    assert row.bpp == 1_400 * 8 / 8_000


def test_jpeg_that_cannot_get_there_has_no_bytes() -> None:
    """Where no JPEG reaches our MS-SSIM there is nothing to compare bytes with."""
    row = report_row(compact(jpeg=jpeg(990, 0.9, None)))
    assert (row.jpeg_bytes, row.saved_vs_jpeg, row.won) == (None, None, True)


@pytest.mark.parametrize(
    ("ms_ssim", "rival", "won"),
    [
        (0.95, jpeg(990, 0.96, 900), False),
        (0.95, jpeg(1_000, 0.95, 1_000), False),
        (0.95, jpeg(1_001, 0.95, 1_001), True),
        (0.9501, jpeg(1_200, 0.95, 1_201), True),
        (0.94, jpeg(1_200, 0.95, 1_200), False),
    ],
)
def test_winning_is_more_likeness_at_the_same_bytes(ms_ssim: float, rival: JpegComparison, won: bool) -> None:
    """Above JPEG at the same bytes, or equal to its smallest file with fewer bytes; a draw is not won."""
    assert report_row(compact(ms_ssim=ms_ssim, jpeg=rival)).won is won


def test_what_was_not_measured_is_none() -> None:
    """Unmeasured and verbatim rows have no figures, but bytes."""
    row = report_row(compact(ms_ssim=None, jpeg=None))
    assert (row.ms_ssim, row.jpeg_ms_ssim, row.jpeg_bytes, row.saved_vs_jpeg, row.won) == (None,) * 5
    row = report_row(verbatim_row("a.gif", width=0, height=0, payload_bytes=123_456))
    assert (row.bpp, row.saved, row.reason) == (None, 0.0, "16 bits a channel")


def test_a_picture_without_a_rival_counts_as_measured_not_as_won() -> None:
    """Where JPEG cannot hold the picture its MS-SSIM is still shown."""
    row = report_row(compact(jpeg=None))
    assert (row.ms_ssim, row.jpeg_ms_ssim, row.won) == (0.98, None, None)


def rows() -> list[ReportRow]:
    return [
        report_row(compact("a.png", ms_ssim=0.98)),
        report_row(compact("b.png", ms_ssim=0.94, payload_bytes=3_000)),
        report_row(compact("c.png", ms_ssim=None, jpeg=None)),
        report_row(verbatim_row("d.gif", source_bytes=500, payload_bytes=500)),
    ]


def test_fields_of_a_row_are_plain() -> None:
    """What JSON gets is numbers, text and None under the report's own names."""
    fields = row_fields(compact())
    assert all(isinstance(value, (int, float, str, bool, type(None))) for value in fields.values())
    assert fields["archived_bytes"] == 1_000
