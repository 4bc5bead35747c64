"""Which pictures a report lets you look at."""

from __future__ import annotations

import pytest

from batchcomp.pages.choice import BEST, MEDIAN, WORST, choose
from tests.pages.samples import report_row


def test_worst_median_and_best_are_by_gain() -> None:
    """The groups are the ends and the middle of the order by gain over JPEG."""
    rows = [report_row(f"{n:02}", ms_ssim=0.96 + n / 1000) for n in range(21)]
    chosen, tiny = choose(rows, 2)
    groups = {name: [one.row.path for one in chosen if one.group == name] for name in (WORST, MEDIAN, BEST)}
    assert groups == {WORST: ["00", "01"], MEDIAN: ["09", "10"], BEST: ["20", "19"]}
    assert tiny == 0


@pytest.mark.parametrize("count", range(5))
@pytest.mark.parametrize("pictures", range(8))
def test_no_picture_is_shown_twice(count: int, pictures: int) -> None:
    """However few there are, each is shown at most once, and none where none is asked for."""
    chosen, _ = choose([report_row(str(n), ms_ssim=0.9 + n / 100) for n in range(pictures)], count)
    names = [one.row.path for one in chosen]
    assert len(set(names)) == len(names) == min(pictures, 3 * count)


def test_tiny_and_unmeasured_pictures_and_those_stored_otherwise_are_left_out() -> None:
    """Icons are counted as left out; what the networks do not restore is no matter here."""
    rows = [
        report_row("icon", width=32, height=32, ms_ssim=0.5),
        report_row("plain", stored="jpeg", ms_ssim=0.5),
        report_row("unknown", ms_ssim=None),
        report_row("photo"),
    ]
    chosen, tiny = choose(rows, 3)
    assert ([one.row.path for one in chosen], tiny) == (["photo"], 1)


def test_icons_are_shown_where_there_is_nothing_else() -> None:
    """An archive of icons shows icons."""
    chosen, tiny = choose([report_row("icon", width=32, height=32)], 3)
    assert ([one.row.path for one in chosen], tiny) == (["icon"], 0)
