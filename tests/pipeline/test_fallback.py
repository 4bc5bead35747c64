"""No measured picture is stored worse than plain JPEG at its bytes, nor larger than its source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from batchcomp.archive import Archive, Row, verify
from batchcomp.codec import weights
from batchcomp.codec.networks import Architecture, DoubleNetwork
from batchcomp.metrics.ms_ssim import ms_ssim
from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.decode import check_archive, decode_archive
from batchcomp.pipeline.packing import JPEG_BETTER
from batchcomp.report.rows import report_row, totals
from batchcomp.settings import CompressSettings, DecodeSettings


@pytest.fixture
def useless_model(tmp_path: Path) -> Path:
    """A model whose nets add noise: every plain JPEG is better."""
    torch.manual_seed(0)
    network = DoubleNetwork(Architecture(com_width=8, com_blocks=1, rec_width=8, rec_blocks=1))
    with torch.no_grad():
        network.rec.trunk.tail.weight.mul_(2000)
    path = tmp_path / "useless.safetensors"
    path.write_bytes(weights.to_bytes(network))
    return path


def archived(tmp_path: Path, model: Path, pixels: np.ndarray, suffix: str = ".png", **options: object) -> Row:
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(folder / f"a{suffix}", **options)
    compress_archive(
        CompressSettings(paths=(folder,), archive=tmp_path / "a.bca", model=model, quality=60, device="cpu", jobs=1)
    )
    (row,) = Archive.open(tmp_path / "a.bca").rows()
    return row


def texture(height: int = 120, width: int = 170) -> np.ndarray:
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8))
    smooth = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    return np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


def test_a_picture_that_the_nets_spoil_is_stored_as_plain_jpeg(tmp_path: Path, useless_model: Path) -> None:
    """The entry is the best plain JPEG of the payload's bytes; it restores, verifies, and never counts as won."""
    pixels = texture()
    row = archived(tmp_path, useless_model, pixels)
    assert (row.stored, row.reason, row.scale) == ("jpeg", JPEG_BETTER, 1)
    assert row.model == weights.load_file(useless_model).sha256  # the one that was tried
    assert row.jpeg is not None
    assert row.payload_bytes == row.jpeg.bytes
    assert verify(tmp_path / "a.bca").ok
    settings = DecodeSettings(source=tmp_path / "a.bca", out=tmp_path / "out", model=useless_model, jobs=1)
    assert not decode_archive(settings).failures
    with Image.open(tmp_path / "out" / "a.png") as image:
        assert ms_ssim(np.asarray(image), pixels) == pytest.approx(row.ms_ssim, abs=1e-5)
    assert not check_archive(tmp_path / "a.bca", device="cpu", model=useless_model).failures
    report = report_row(row)
    assert report.won is False
    assert totals([report], 0).plain_jpeg == 1


def test_a_second_run_leaves_the_plain_jpeg_alone(tmp_path: Path, useless_model: Path) -> None:
    """A picture stored as plain JPEG is unchanged until its source or the quality changes."""
    archived(tmp_path, useless_model, texture())
    settings = CompressSettings(
        paths=(tmp_path / "in",), archive=tmp_path / "a.bca", model=useless_model, quality=60, jobs=1
    )
    assert compress_archive(settings).counts == {"unchanged": 1}


def test_a_source_smaller_than_any_jpeg_is_kept_as_it_is(tmp_path: Path, useless_model: Path) -> None:
    """A tiny JPEG source stays verbatim: no file in the archive is larger than its source."""
    row = archived(tmp_path, useless_model, texture(), ".jpg", quality=3)
    assert row.stored == "verbatim"
    assert row.payload_bytes == row.source_bytes
