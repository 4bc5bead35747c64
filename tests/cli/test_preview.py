"""`preview`: photos at several qualities, as a page, a contact sheet, a table or JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from batchcomp.cli.preview import spread
from tests.cli import samples
from tests.cli.conftest import Run


@pytest.fixture
def preview(run: Run, tiny_model: Path) -> Run:
    """Run `preview` with the tiny model at two qualities."""
    return lambda *arguments: run("preview", *arguments, "--model", tiny_model, "-q", "70,20")


def test_a_page_shows_each_photo_at_each_quality(preview: Run, photos: Path) -> None:
    """The page holds the original once, and for each quality what batchcomp, JPEG and the stored JPEG look like."""
    result = preview(photos / "b.jpg", photos / "a.png")
    assert result.code == 0
    page = (photos.parent / "preview.html").read_text("utf-8")
    views = [json.loads(text) for text in re.findall(r'id="view-\d">(.*?)</script>', page)]
    shown = [(one["kind"], one["level"]) for one in views[0]["versions"]]
    both = [(kind, f"quality {q}") for q in (20, 70) for kind in ("batchcomp", "compact", "jpeg")]
    assert shown == [("original", ""), *both]
    assert len(views) == 2
    assert "preview.html: " in result.out


def test_bytes_grow_with_quality_and_jpeg_fits_in_them(preview: Run, photos: Path) -> None:
    """With --json each step is a line; the JPEG shown is no larger than the payload."""
    *steps, summary = preview(photos / "b.jpg", "--json").json
    assert [step["quality"] for step in steps] == [20, 70]
    assert steps[0]["bytes"] < steps[1]["bytes"]
    assert all(0 < step["jpeg_ms_ssim"] <= 1 and step["name"] == "b.jpg" for step in steps)
    assert (summary["done"], summary["failed"], summary["exit_code"]) == (1, 0, 0)


def test_a_contact_sheet_has_a_column_a_quality(preview: Run, photos: Path) -> None:
    """The PNG shows the original and both qualities; a second one does not replace it."""
    assert preview(photos, "--png", "sheet.png").code == 0
    with Image.open(photos.parent / "sheet.png") as sheet:
        assert sheet.width == 3 * 396 + 12
        assert sheet.height > 3 * 500
    assert preview(photos, "--png", "sheet.png").code == 2


def test_a_photo_that_cannot_be_read_is_told_and_the_others_shown(preview: Run, photos: Path) -> None:
    """A broken file ends with 3; the page has the others."""
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0broken")
    result = preview(photos)
    assert result.code == 3
    assert "broken.jpg" in result.err
    assert "Preview of 3 pictures" in (photos.parent / "preview.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-q", "0"], "1 to 100"),
        (["-q", "40,x"], "1 to 100"),
        (["--html", "a.html", "--png", "a.png"], "choose one"),
        (["--png", "a.jpg"], "NAME.png"),
        (["--html", "photos/a.png"], "NAME.html"),
    ],
)
def test_usage_errors(run: Run, photos: Path, options: list[str], said: str) -> None:
    """What cannot be meant is refused before any work."""
    before = samples.tree(photos.parent)
    result = run("preview", photos, *options)
    assert result.code == 2
    assert said in result.err
    assert samples.tree(photos.parent) == before


def test_photos_of_folders_are_taken_from_all_along() -> None:
    """Of many photos a few from all parts are taken, of few all."""
    paths = [Path(str(number)) for number in range(100)]
    assert [path.name for path in spread(paths, 4)] == ["12", "37", "62", "87"]
    assert spread(paths[:3], 4) == paths[:3]
