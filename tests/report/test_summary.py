"""A report in one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from batchcomp.report.summary import sentence
from batchcomp.report.totals import totals
from tests.pages.samples import report_row


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "no pictures"),
        ([{}], ("1 picture, 100.0 kB -> 20.0 kB; plain JPEG of the same quality would take 40.0 kB; "
               "better than JPEG at the same bytes")),
        ([{}, {}], ("2 pictures, 200.0 kB -> 40.0 kB; plain JPEG of the same quality would take 80.0 kB; "
                   "all better than JPEG at the same bytes")),
        ([{}, {"won": False}, {"ms_ssim": None, "jpeg_bytes": None, "won": None}],
         ("3 pictures, 300.0 kB -> 60.0 kB; plain JPEG of the same quality would take 80.0 kB where 2 of them take "
         "40.0 kB; all of the 2 measured but 1 better than JPEG at the same bytes")),
        ([{"won": False}], ("1 picture, 100.0 kB -> 20.0 kB; plain JPEG of the same quality would take 40.0 kB; "
                           "not better than JPEG at the same bytes")),
        ([{"ms_ssim": None, "jpeg_bytes": None}] * 1204, "1,204 pictures, 120.4 MB -> 24.1 MB"),
    ],
)  # fmt: skip
def test_the_sentence(rows: list[dict[str, Any]], said: str) -> None:
    """Bytes, what JPEG would take, and how often JPEG is beaten, as far as each is known."""
    assert sentence(totals([report_row(str(n), **row) for n, row in enumerate(rows)], 0)) == said
