"""What tests of tools share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def three_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of three small photos, for a tool whose processes find the package of this checkout."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("camera.png", "chelsea.png", "coffee.png"):
        shutil.copy(ROOT / "examples" / "photos" / name, folder)
    return folder
