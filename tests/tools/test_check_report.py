"""`tools/check_report.py`."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest
from PIL import Image

from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.decode import decode_archive
from batchcomp.pipeline.records import tally
from batchcomp.settings import CompressSettings, DecodeSettings

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tools"
PHOTO = ROOT / "examples" / "photos" / "chelsea.png"


def test_a_report_is_checked_against_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Recomputed from disk, the report is right; with a wrong picture in its place, the check fails."""
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(PHOTO, photos)
    archive, out = tmp_path / "p.bca", tmp_path / "out"
    tally(compress_archive(CompressSettings(paths=(photos,), archive=archive, quality=30)))
    tally(decode_archive(DecodeSettings(source=archive, out=out)))
    check = runpy.run_path(str(TOOLS / "check_report.py"))["main"]
    assert check(photos, archive, out) == 0
    assert "0 wrong" in capsys.readouterr().out
    with Image.open(out / "chelsea.png") as image:
        flipped = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    flipped.save(out / "chelsea.png")
    assert check(photos, archive, out) == 1
