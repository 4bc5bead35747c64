"""WebP output may not be there in every build."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import features

from batchcomp.errors import PictureError
from batchcomp.images.picture import Picture
from batchcomp.images.save import save
from tests.images.make import noise


def test_a_format_that_was_left_out_of_the_build_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PIL can be built without WebP: the file is not written, and what helps is said."""
    monkeypatch.setattr(features, "check", lambda part: part != "webp")
    with pytest.raises(PictureError, match=r"was built without WebP\); choose --format png"):
        save(Picture(pixels=noise(2, 2)), tmp_path / "a.webp", format="webp")
    assert not list(tmp_path.iterdir())
