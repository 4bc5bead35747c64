"""Bits per pixel."""

from __future__ import annotations

from batchcomp.metrics.rate import bits_per_pixel


def test_bits_per_pixel() -> None:
    """A byte a pixel is 8 bits a pixel."""
    assert bits_per_pixel(100, 20, 40) == 1.0
