"""kill -9 at any moment of a real run: nothing is damaged, and the next run makes it whole."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

import pytest

from batchcomp.archive import verify
from tests.cli import samples

from .conftest import Server
from .scenario import contents

QUICK, LONG = 8, 200
COUNT = 12  # pictures


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of photos, some with the same content, some stored as they are."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(COUNT):
        mode = "RGB" if number % 4 else "RGBA"
        samples.save(folder / f"{number:02d}.png", samples.image(60, 70 + number, mode=mode, seed=number))
    shutil.copy(folder / "03.png", folder / "copy of 03.png")
    shutil.copy(folder / "04.png", folder / "05 too.png")
    return folder


def options(photos: Path, model: Path) -> dict[str, object]:
    return {"source": str(photos), "model": str(model), "segment_bytes": 4000}


@pytest.mark.parametrize("moments", [QUICK, pytest.param(LONG, marks=pytest.mark.long)])
def test_kill_at_random_moments(
    compressor: Server, photos: Path, tiny_model: Path, tmp_path: Path, moments: int
) -> None:
    """After each kill verify is clean, a second run completes, and the archive holds what an undisturbed one holds."""
    run = options(photos, tiny_model)
    assert compressor.run("compress", tmp_path / "whole.bca", options=run) == 0, compressor.said
    started = time.monotonic()
    assert compressor.run("compress", tmp_path / "again.bca", options=run) == 0, compressor.said
    whole, seconds = contents(tmp_path / "whole.bca"), time.monotonic() - started
    assert contents(tmp_path / "again.bca") == whole
    assert len(whole) == COUNT + 2
    chance, tried, killed, partly = random.Random(20261122), 0, 0, 0  # noqa: S311  # moments, not secrets
    while killed < moments and tried < 5 * moments:  # a run may be over before its moment
        tried += 1
        folder = tmp_path / "x.bca"
        shutil.rmtree(folder, ignore_errors=True)
        status = compressor.run("compress", folder, options=run, kill_after=chance.uniform(0, seconds))
        killed += status == -9
        if list(folder.glob("*.zip")):
            assert verify(folder).ok
            assert contents(folder).items() <= whole.items()
            partly += len(contents(folder)) < len(whole)
        assert compressor.run("compress", folder, options=run) == 0, compressor.said
        assert verify(folder).ok
        assert contents(folder) == whole
        assert not list(folder.glob(".*.tmp"))
    print(f"kill -9: {tried} tried, {killed} hit the run, {partly} left a part of the archive, 0 lost")  # noqa: T201
    assert killed == moments
