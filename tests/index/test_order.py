"""SQL sorts as the report's own columns do."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchcomp.archive import JpegComparison
from batchcomp.errors import UsageError
from batchcomp.index import ArchiveIndex
from batchcomp.index.order import order_by
from batchcomp.report.rows import SORTS, report_row
from tests.archive.samples import sample_row, write_archive

FIGURE = st.sampled_from([-1.0, 0.0, 0.25, 0.9, 1.0])


@st.composite
def made(draw: st.DrawFn, path: str) -> tuple[object, bytes]:
    """A picture with figures that often are equal, or missing."""
    jpeg = JpegComparison(quality=3, bytes=7, ms_ssim=draw(FIGURE), bytes_at_ms_ssim=9)
    fields = {
        "width": draw(st.sampled_from([0, 1, 200])),
        "height": draw(st.sampled_from([0, 3, 200])),
        "source_bytes": draw(st.sampled_from([0, 7, 10_000])),
        "ms_ssim": draw(FIGURE | st.none()),
        "jpeg": draw(st.sampled_from([None, jpeg])),
    }
    return sample_row(path, **fields), bytes(draw(st.integers(0, 20)))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["a", "B", "ä", "Z/y", "\U0001f4f7", "\ufb01"]), unique=True, min_size=1), st.data())
def test_every_column_sorts_as_it_does_in_a_report(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], data: st.DataObject
) -> None:
    """Rows without figures too, and what is equal stays in the order of the archive."""
    folder = tmp_path_factory.mktemp("made") / "x.bca"
    write_archive(folder, [data.draw(made(path)) for path in paths])  # type: ignore[misc]
    with ArchiveIndex.open(folder) as index:
        rows = list(map(report_row, index.rows()))
        for column, key in SORTS.items():
            found = [row.path for row in index.rows(order=order_by(column))]
            assert found == [row.path for row in sorted(rows, key=key)], column


def test_an_unknown_column_is_a_usage_error() -> None:
    """The message lists the columns."""
    with pytest.raises(UsageError, match="sort column 'colour': expected one of path, size"):
        order_by("colour")
