"""How much memory a picture takes is estimated before it is read."""

from __future__ import annotations

from pathlib import Path

import pillow_jxl  # noqa: F401 - registers what writes JPEG XL
from PIL import Image

from batchcomp.images.sizes import estimate_bytes


def test_the_size_in_memory_follows_from_the_header(tmp_path: Path) -> None:
    """A flat picture is small on disk and large in memory; what cannot be read counts as nothing."""
    flat, broken = tmp_path / "flat.png", tmp_path / "broken.png"
    Image.new("RGB", (2000, 1500)).save(flat)
    broken.write_bytes(flat.read_bytes()[:20])
    assert estimate_bytes(flat) == 2000 * 1500 * 3 > 100 * flat.stat().st_size
    assert estimate_bytes(broken) == 0
    assert estimate_bytes(tmp_path / "none.png") == 0
