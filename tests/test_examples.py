"""The examples run."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest
from PIL import Image

from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.decode import decode_archive
from batchcomp.settings import CompressSettings, DecodeSettings

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_the_training_plot_is_drawn(tmp_path: Path) -> None:
    """A log of a few rows becomes a picture."""
    log = tmp_path / "log.csv"
    log.write_text("step,seconds,loss,dev_bd_rate\n50,30,-3.5,\n100,60,-3.6,-20.5\n150,90,-3.7,-30\n")
    runpy.run_path(str(EXAMPLES / "plot_training.py"))["plot"](log, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_is_archived_from_python(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The example archives photos, prints a measured row for each and restores one."""
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(EXAMPLES / "photos" / "chelsea.png", photos)
    runpy.run_path(str(EXAMPLES / "archive_and_check.py"))["main"](photos, tmp_path / "p.bca")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("chelsea.png: ")
    assert "MS-SSIM 0.9" in lines[0]
    assert lines[1] == "restored chelsea.png: (300, 451, 3)"


def test_a_report_is_checked_against_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Recomputed from disk, the report is right; with a wrong picture in its place, the check fails."""
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(EXAMPLES / "photos" / "chelsea.png", photos)
    archive, out = tmp_path / "p.bca", tmp_path / "out"
    compress_archive(CompressSettings(paths=(photos,), archive=archive, quality=30))
    decode_archive(DecodeSettings(source=archive, out=out))
    check = runpy.run_path(str(EXAMPLES / "check_report.py"))["main"]
    assert check(photos, archive, out) == 0
    assert "0 wrong" in capsys.readouterr().out
    with Image.open(out / "chelsea.png") as image:
        flipped = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    flipped.save(out / "chelsea.png")
    assert check(photos, archive, out) == 1
