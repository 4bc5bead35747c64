"""Archives that several tests start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from .samples import archive_that_shares, three_pictures


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    """Return the one segment of an archive of three pictures."""
    three_pictures(tmp_path / "x.bca")
    return tmp_path / "x.bca" / "000001.zip"


@pytest.fixture
def sharing(tmp_path: Path) -> Path:
    """Return an archive whose second segment shares content of the first and of its own."""
    archive_that_shares(tmp_path / "x.bca")
    return tmp_path / "x.bca"
