"""Resizes images, the same way with Pillow and pillow-simd."""

from __future__ import annotations

from PIL import Image


def resize_image(
    image: Image.Image, size: tuple[int, int], *, box: tuple[int, int, int, int] | None = None
) -> Image.Image:
    """Resize by antialiased Lanczos.

    Args:
        image: The source.
        size: Height and width of the answer.
        box: Left, upper, right and lower bound of the part to resize; all of it by default.
    """
    return image.resize((size[1], size[0]), Image.Resampling.LANCZOS, box=box)
