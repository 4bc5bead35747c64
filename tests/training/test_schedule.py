"""How the learning rate goes over a run."""

from __future__ import annotations

from itertools import pairwise

import pytest

from batchcomp.training.schedule import Schedule


def test_the_rate_warms_up_stays_and_falls() -> None:
    """Linear up, flat, a cosine down to its last share, and there it stays."""
    schedule = Schedule(steps=100, peak=2.0, warm_up=10, decay_share=0.4, final_rate=0.1)
    rates = [schedule.at(step) for step in range(120)]
    assert rates[0] == pytest.approx(0.2)
    assert rates[9] == rates[59] == 2.0
    assert all(before >= after for before, after in pairwise(rates[60:]))
    assert rates[80] == pytest.approx(2.0 * 0.55)
    assert rates[100] == rates[119] == pytest.approx(0.2)
