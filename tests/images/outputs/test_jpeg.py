"""JPEG output is close, and keeps metadata."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from batchcomp.images.load import load
from batchcomp.images.picture import Metadata, Picture
from batchcomp.images.save import save
from tests.images.make import exif
from tests.needs import param

METADATA = Metadata(exif=exif(6), icc=b"profile" * 20_000, xmp=b"<x:xmpmeta>\xc3\xa9</x:xmpmeta>", dpi=(300, 150))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["jpeg", param("webp", "webp")])
def test_lossy_formats_are_close_and_keep_metadata(tmp_path: Path, kind: str, channels: int) -> None:
    """Pixels are close; EXIF, ICC and XMP are the same bytes."""
    smooth = np.linspace(0, 255, 64 * 48 * channels).reshape(64, 48, channels).astype(np.uint8)
    save(Picture(pixels=smooth, metadata=METADATA), tmp_path / "a", format=kind)
    found = load(tmp_path / "a")
    grey = found.pixels[:, :, :channels].astype(int)
    assert np.abs(grey - smooth).mean() < 3
    assert (found.metadata.exif, found.metadata.icc, found.metadata.xmp) == (
        METADATA.exif, METADATA.icc, METADATA.xmp,
    )  # fmt: skip
    assert found.metadata.dpi == (METADATA.dpi if kind == "jpeg" else None)
