"""What a report comes to: sums that no order changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcomp.archive import JpegComparison
from batchcomp.report.rows import ReportRow, report_row
from batchcomp.report.tally import Tally
from batchcomp.report.totals import totals
from tests.archive.samples import verbatim_row
from tests.report.test_rows import compact, rows

FIGURES = st.floats(-1, 1) | st.none()


@st.composite
def any_row(draw: st.DrawFn) -> ReportRow:
    """A row with or without each figure."""
    ms_ssim, equal = draw(FIGURES), draw(st.integers(0, 9_999) | st.none())
    jpeg = JpegComparison(quality=9, bytes=800, ms_ssim=draw(st.floats(-1, 1)), bytes_at_ms_ssim=equal)
    kind = draw(st.sampled_from(["compact", "packed", "jpeg", "webp", "verbatim"]))
    size = draw(st.sampled_from([0, 1, 160, 161, 999]))
    return report_row(
        compact(
            draw(st.sampled_from("abc")),
            stored=kind,
            width=size,
            ms_ssim=ms_ssim,
            jpeg=draw(st.sampled_from([None, jpeg])),
            payload_bytes=draw(st.integers(0, 99_999)),
            unpacked_bytes=draw(st.sampled_from([0, 7])),
            ssimulacra2=draw(st.floats(-100_000, 100) | st.none()),
        )
    )


def test_totals() -> None:
    """Bytes are summed over all, means taken over the measured, the worst has the lowest MS-SSIM."""
    total = totals(rows(), 6_000)
    assert (total.pictures, total.compact, total.verbatim, total.measured, total.won) == (4, 3, 1, 2, 1)
    assert (total.source_bytes, total.archived_bytes, total.archive_bytes_on_disk) == (30_500, 5_500, 6_000)
    assert total.saved == pytest.approx(1 - 5_500 / 30_500)
    assert total.mean_ms_ssim == pytest.approx(0.96)
    assert total.mean_jpeg_ms_ssim == pytest.approx(0.95)
    assert total.mean_bpp == pytest.approx((1.0 + 3.0) / 2)
    assert (total.worst_path, total.worst_ms_ssim) == ("b.png", 0.94)


def test_totals_of_nothing() -> None:
    """An archive without measured pictures has no means and divides by nothing."""
    total = totals([], 0)
    assert (total.pictures, total.saved, total.mean_bpp, total.worst_path) == (0, 0.0, None, None)


def test_the_worst_is_no_icon() -> None:
    """A tiny picture is the worst only where all are tiny; of equal ones it is the first."""
    tiny = compact("tiny", width=160, height=900, ms_ssim=0.1)
    large = [compact(name, width=161, height=161, ms_ssim=0.5) for name in "xy"]
    assert totals(map(report_row, [tiny, *large]), 0).worst_path == "x"
    assert totals(map(report_row, [tiny, verbatim_row("v")]), 0).worst_path == "tiny"


@given(st.lists(any_row()), st.lists(any_row()))
def test_a_tally_does_not_depend_on_the_way_to_it(first: list[ReportRow], second: list[ReportRow]) -> None:
    """Merged, in another order, or with rows taken out again, it is the same to the last bit."""
    merged = Tally.of(first)
    merged.merge(Tally.of(second))
    assert merged == Tally.of([*second, *first][::-1])
    for row in second:
        merged.remove(row)
    assert merged == Tally.of(first)
    assert Tally(merged.values) == merged


@pytest.mark.parametrize("values", [(), (1,) * 22, (0.5,) * 23, (True,) * 23])
def test_what_is_no_tally_is_refused(values: tuple[int, ...]) -> None:
    """Numbers that were kept elsewhere are looked at before they are believed."""
    with pytest.raises(ValueError, match="a tally has 23 whole numbers"):
        Tally(values)
