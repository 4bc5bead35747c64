"""Pictures and folders that the tests of the commands share."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from batchcomp.images.picture import Pixels


def photo(height: int, width: int, *, channels: int = 3, seed: int = 0) -> Pixels:
    """Return something like a photo, smooth with a little grain: uint8 (height, width, channels)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    grain = rng.integers(-9, 10, (height, width, 3))
    pixels: Pixels = np.clip(smooth + grain, 0, 255).astype(np.uint8)
    return pixels[:, :, :channels]


def image(height: int = 40, width: int = 48, *, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Return a photo as Pillow holds it, in any mode."""
    return Image.fromarray(photo(height, width, seed=seed)).convert(mode)


def save(path: Path, picture: Image.Image | None = None, **options: Any) -> Path:
    """Write a picture; the suffix says how."""
    path.parent.mkdir(parents=True, exist_ok=True)
    (picture or image()).save(path, **options)
    return path


def content(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture as the bytes of a file."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels_of(path: Path) -> Pixels:
    with Image.open(path) as opened:
        return np.array(opened)


def tree(folder: Path) -> dict[str, tuple[str, int]]:
    """Return every file below a folder with its checksum and time of change."""
    return {
        path.relative_to(folder).as_posix(): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
