"""`report --html`: a page of an archive, with pictures beside their originals where those are to be had."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli import samples
from tests.cli.conftest import Run


@pytest.fixture
def archive(compress: Run, tmp_path: Path) -> Path:
    """Return an archive of photos large enough to be worth looking at, which lie beside it."""
    for number in range(4):
        samples.save(tmp_path / "photos" / f"{number}.png", samples.image(170, 190 + number, seed=number))
    assert compress("photos").code == 0
    return tmp_path / "photos.bca"


def blocks(page: Path) -> dict[str, Any]:
    """Return the data blocks of a page by their names."""
    found = re.findall(r'<script type="application/json" id="([a-z0-9-]+)">(.*?)</script>', page.read_text("utf-8"))
    return {name: json.loads(text) for name, text in found}


def kinds(page: Path, number: int) -> list[str]:
    return [one["kind"] for one in blocks(page)[f"view-{number}"]["versions"]]


def test_the_page_has_every_row_and_the_pictures_beside_their_originals(
    run: Run, archive: Path, tiny_model: Path
) -> None:
    """The originals beside the archive are found by themselves, and checked by their content."""
    result = run("report", archive, "--html", "out/report.html", "--show", 1, "--model", tiny_model)
    assert (result.code, result.err) == (0, "")
    assert "4 pictures," in result.out
    page = archive.parent / "out/report.html"
    assert blocks(page)["rows"]["path"] == ["0.png", "1.png", "2.png", "3.png"]
    views = blocks(page)["abouts"]["views"]
    assert [view["group"] for view in views] == ["worst", "median", "best"]
    assert kinds(page, 0) == ["original", "batchcomp", "jpeg", "compact"]
    original, ours, jpeg, _ = blocks(page)["view-0"]["versions"]
    assert (original["map"], ours["map"][:16], jpeg["map"][:16]) == (None, "data:image/webp;", "data:image/webp;")
    assert jpeg["bytes"] <= ours["bytes"]


def test_an_original_that_changed_or_is_gone_is_not_shown(run: Run, archive: Path, tiny_model: Path) -> None:
    """What is not the original any more is not shown as such; the page says why."""
    samples.save(archive.parent / "photos/0.png", samples.image(170, 190, seed=9))
    (archive.parent / "photos/1.png").unlink()
    assert run("report", archive, "--html", "report.html", "--show", 4, "--model", tiny_model).code == 0
    found = blocks(archive.parent / "report.html")
    by_name = {view["name"]: found[f"view-{view['id']}"]["versions"] for view in found["abouts"]["views"]}
    notes = {name: versions[0]["note"] for name, versions in by_name.items()}
    assert notes["0.png"] == "Its original changed since it was archived."
    assert notes["1.png"].startswith("Its original was not found")
    assert [one["kind"] for one in by_name["1.png"]] == ["batchcomp", "compact"]


def test_a_damaged_picture_is_named_and_the_page_written(run: Run, archive: Path, tiny_model: Path) -> None:
    """One picture that cannot be restored is told, ends with 4, and does not keep the others from being shown."""
    segment = archive / "000001.zip"
    data = bytearray(segment.read_bytes())
    at = data.index(b"\xff\xda", data.index(b"0.png.jpg")) + 20
    data[at] ^= 0xFF
    segment.write_bytes(data)
    result = run("report", archive, "--html", "report.html", "--show", 4, "--model", tiny_model)
    assert result.code == 4
    assert "0.png" in result.err
    assert len(blocks(archive.parent / "report.html")["abouts"]["views"]) == 3


def test_no_pictures_need_no_model(run: Run, archive: Path) -> None:
    """With --show 0 nothing is restored: the figures alone make the page."""
    assert run("report", archive, "--html", "report.html", "--show", 0).code == 0
    assert blocks(archive.parent / "report.html")["abouts"]["views"] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--html", "photos/0.png"], "NAME.html"),
        (["--html", "mine.html"], "no page of batchcomp"),
        (["--html", "r.html", "--sources", "nowhere"], "nowhere"),
        (["--html", "r.html", "--json"], "--html"),
        (["--html", "r.html", "--show", "11"], "--show"),
    ],
)
def test_usage_errors(run: Run, archive: Path, options: list[str], said: str, tiny_model: Path) -> None:
    """Other files are never replaced, and options that make no sense together are refused."""
    mine = archive.parent / "mine.html"
    mine.write_text("mine", encoding="utf-8")
    before = samples.tree(archive.parent)
    result = run("report", archive, *options, "--model", tiny_model)
    assert result.code == 2
    assert said in result.err
    assert samples.tree(archive.parent) == before


def test_a_full_disk_is_no_wrong_usage(run: Run, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is not written, the exit code is 1 and the advice can be followed."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = run("report", archive, "--html", "report.html", "--show", 0)
    assert (result.code, Path("report.html").exists()) == (1, False)
    assert result.err.strip().splitlines()[-1].endswith("(no space left on device); free some space and run again")
