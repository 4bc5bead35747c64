"""The public API, as a stranger's program uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import batchcomp
from batchcomp.models import MODELS
from tests.cli import samples


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with a colour photo, a grey one and a picture that is stored as it is."""
    folder = tmp_path / "photos"
    samples.save(folder / "a.png")
    samples.save(folder / "sub" / "b.png", samples.image(33, 35, mode="L", seed=2))
    samples.image(20, 30).convert("P").save(folder / "c.png")
    return folder


def test_importing_takes_nothing_along() -> None:
    """`import batchcomp` loads no torch, no Pillow and no command line; names come when they are asked for."""
    code = "import sys, batchcomp; print([m for m in ('torch', 'PIL', 'typer', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", batchcomp.__all__)
def test_every_public_name_is_there(name: str) -> None:
    """It has a home, and says what it is."""
    assert getattr(batchcomp, name).__doc__
    assert name in dir(batchcomp)


def test_a_name_that_is_not_there() -> None:
    """As in any module."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = batchcomp.nothing


def test_a_folder_there_and_back(photos: Path, tmp_path: Path, tiny_model: Path) -> None:
    """Compress a folder, look into the archive, restore all of it."""
    events: list[object] = []
    outcome = batchcomp.compress(str(photos), model=tiny_model, jobs=1, on_event=events.append)
    assert (outcome.counts["done"], len(events), outcome.failures) == (3, 3, [])
    with batchcomp.Archive.open(tmp_path / "photos.bca", model=tiny_model) as archive:
        pictures = {picture.path: picture for picture in archive}
        assert sorted(pictures) == ["a.png", "c.png", "sub/b.png"]
        assert pictures["a.png"].pixels().shape == (pictures["a.png"].row.height, pictures["a.png"].row.width, 3)
        assert pictures["sub/b.png"].image().mode == "L"
        assert pictures["a.png"].payload().startswith(b"\xff\xd8")
        assert archive["a.png"].row == pictures["a.png"].row
        assert "a.png" in repr(archive["a.png"])
        assert archive.damage == ()
        with pytest.raises(batchcomp.ArchiveError, match=r"none\.png"):
            archive["none.png"]
        again = batchcomp.decode(tmp_path / "photos.bca", tmp_path / "out", model=tiny_model)
        assert again.counts["done"] == 3
        with Image.open(tmp_path / "out" / "a.png") as image:
            assert np.array_equal(np.asarray(image), pictures["a.png"].pixels())


def test_a_model_is_named_by_text(photos: Path, tmp_path: Path, tiny_model: Path) -> None:
    """By the name of a shipped one or of a file, wherever a model is asked for."""
    archive = tmp_path / "a.bca"
    batchcomp.compress(photos, archive, model=str(tiny_model), device="cpu")
    assert batchcomp.decode(archive, tmp_path / "out", model=str(tiny_model), device="cpu").failures == []
    assert batchcomp.Codec.open("fast", device="cpu").model.sha256 == MODELS["fast"].sha256
    with pytest.raises(batchcomp.ModelError, match="nope"):
        batchcomp.compress(photos, tmp_path / "b.bca", model="nope")


def test_damage_is_an_error_of_the_picture(photos: Path, tmp_path: Path, tiny_model: Path) -> None:
    """Neither pixels nor bytes of a damaged payload are given out."""
    batchcomp.compress(photos, tmp_path / "x.bca", model=tiny_model, jobs=1)
    with batchcomp.Archive.open(tmp_path / "x.bca", model=tiny_model) as archive:
        picture = archive["a.png"]
        segment = tmp_path / "x.bca" / "000001.zip"
        data = segment.read_bytes()
        at = data.index(picture.payload()) + picture.row.payload_bytes // 2
        segment.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        for look in (picture.payload, picture.pixels, picture.image):
            with pytest.raises(batchcomp.ArchiveDamagedError, match=r"a\.png"):
                look()


def test_settings_are_checked_at_once(photos: Path, tmp_path: Path) -> None:
    """What makes no sense is a UsageError, before anything is done."""
    with pytest.raises(batchcomp.UsageError, match="quality 0"):
        batchcomp.compress([photos], tmp_path / "x.bca", quality=0)
    with pytest.raises(batchcomp.UsageError, match="name the archive"):
        batchcomp.compress([photos, photos])
