"""Qualities, coarsenesses and network qualities."""

from __future__ import annotations

from itertools import pairwise

import pytest

from batchcomp.codec.tables import (
    FINE_FROM,
    MAX_NETWORK_QUALITY,
    QUALITIES,
    STRETCH_FROM,
    Ladder,
    quality_to_coarseness,
    tables_at,
)
from tests.codec.conftest import tiny_model


def test_coarseness_falls_geometrically_with_quality() -> None:
    """Coarsenesses go from 9 to 0.25, and every table value grows with them."""
    found = [quality_to_coarseness(q) for q in QUALITIES]
    assert (found[0], found[-1]) == (pytest.approx(9), pytest.approx(0.25))
    assert found == sorted(found, reverse=True)
    logs = tiny_model().network.log_tables.numpy()
    tables = [tables_at(logs, coarseness) for coarseness in found]
    assert all((a >= b).all() for a, b in pairwise(tables))
    assert min(t.min() for t in tables) >= 1
    assert max(t.max() for t in tables) <= 255


def test_network_quality_at_full_size_rises_to_100() -> None:
    """From 1 or more where it takes over, evenly, to 100."""
    found = [Ladder(full_start=40).full_size(quality) for quality in (FINE_FROM, (FINE_FROM + 100) / 2, 100)]
    assert found[0] == 40
    assert found[2] == 100
    assert found[2] - found[1] == pytest.approx(found[1] - found[0])


@pytest.mark.parametrize("end", [float(MAX_NETWORK_QUALITY), 95.0])
def test_network_quality_at_half_size_reaches_the_finest(end: float) -> None:
    """It is the quality itself at first, then rises faster, without a jump, to where full size takes over."""
    ladder = Ladder(half_end=end)
    assert [ladder.half_size(quality) for quality in (1, 50.25, STRETCH_FROM)] == [1, 50.25, STRETCH_FROM]
    assert ladder.half_size(STRETCH_FROM + 0.01) == pytest.approx(STRETCH_FROM, abs=0.2)
    assert ladder.half_size(FINE_FROM) == pytest.approx(end)
