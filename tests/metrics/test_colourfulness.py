"""Colourfulness after Hasler and Suesstrunk."""

from __future__ import annotations

import numpy as np
import pytest

from batchcomp.metrics.colourfulness import colourfulness


def flat(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((6, 8, 3), colour, np.uint8)


@pytest.mark.parametrize("level", [0, 90, 255])
def test_grey_has_no_colour(level: int) -> None:
    """Whatever its brightness."""
    assert colourfulness(flat((level, level, level))) == 0


def test_the_formula_by_hand() -> None:
    """Half red, half blue: rg is 255 and 0, yb is 127.5 and -255."""
    picture = flat((255, 0, 0))
    picture[:, 4:] = (0, 0, 255)
    spread = np.hypot(127.5, 191.25)
    offset = np.hypot(127.5, -63.75)
    assert colourfulness(picture) == pytest.approx(spread + 0.3 * offset)


def test_one_colour_counts_less_than_many() -> None:
    """The mean has a weight of 0.3, the spread of 1."""
    assert colourfulness(flat((200, 120, 60))) == pytest.approx(0.3 * np.hypot(80, 100))


def test_washing_out_lowers_it() -> None:
    """Mixing a picture with grey takes colourfulness away in proportion."""
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    half = (picture // 2 + 64).astype(np.uint8)
    assert colourfulness(half) == pytest.approx(colourfulness(picture) / 2, rel=0.01)
