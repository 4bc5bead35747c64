"""What a picture costs."""

from __future__ import annotations


def bits_per_pixel(size: int, height: int, width: int) -> float:
    """Return the bits per pixel (bpp) of a file of `size` bytes that holds a picture of height x width pixels."""
    return 8 * size / (height * width)
