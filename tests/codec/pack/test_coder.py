"""Decisions to bytes and back."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from batchcomp.codec.pack import coder


@given(st.lists(st.tuples(st.integers(1, (1 << 22) - 1), st.booleans()), max_size=300))
@settings(deadline=None)
def test_decisions_come_back(decisions: list[tuple[int, bool]]) -> None:
    """Whatever the odds, each decision is read as it was written."""
    odds, bits = np.array([n / (1 << 22) for n, _ in decisions]), np.array([bit for _, bit in decisions], bool)
    to = coder.RangeWriter()
    to.code(odds, bits)
    assert np.array_equal(coder.RangeReader(to.finish()).code(odds), bits)
