"""No measured picture is stored worse than plain JPEG at its bytes, nor larger than its source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from batchcomp.archive import ArchiveReader, Row, verify
from batchcomp.codec import jpeg, plain_jpeg, weights
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.metrics.ms_ssim import ms_ssim
from batchcomp.pipeline.alternatives import JPEG_BETTER, LOSSLESS_SMALLER
from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.decode import decode_archive
from batchcomp.pipeline.records import tally
from batchcomp.pipeline.verify import VerifySettings, check_pictures
from batchcomp.report.rows import report_row
from batchcomp.report.totals import totals
from batchcomp.settings import CompressSettings, DecodeSettings
from tests.codec.samples import screenshot


@pytest.fixture
def useless_model(tmp_path: Path) -> Path:
    """A model whose nets add noise: every plain JPEG is better."""
    torch.manual_seed(0)
    network = ResidualNetwork(ResidualArchitecture(com_width=8, com_blocks=1, rec_width=8, rec_blocks=1))
    with torch.no_grad():
        network.rec.trunk.tail.weight.mul_(2000)
    path = tmp_path / "useless.safetensors"
    path.write_bytes(weights.to_bytes(network))
    return path


def archived(tmp_path: Path, model: Path, pixels: np.ndarray, suffix: str = ".png", **options: object) -> Row:
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(folder / f"a{suffix}", **options)
    return stored(tmp_path, model, quality=60)[0]


def stored(tmp_path: Path, model: Path | None, **options: object) -> list[Row]:
    """Compress the folder `in` and return the archive's rows."""
    settings = CompressSettings(
        paths=(tmp_path / "in",),
        archive=tmp_path / "a.bca",
        model=model,
        device="cpu",
        jobs=1,
        isolate=False,
        **options,
    )
    assert not tally(compress_archive(settings)).failures
    return list(ArchiveReader.open(tmp_path / "a.bca").rows())


def texture(height: int = 120, width: int = 170) -> np.ndarray:
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8))
    smooth = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    return np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


def line_art(height: int = 200, width: int = 260) -> np.ndarray:
    """Black curves on white, without grey."""
    y, x = np.mgrid[:height, :width]
    ink = np.abs(np.sin(x / 19) * 60 + 100 - y) < 1.5
    return (
        np.where((ink | (np.hypot(x - 130, y - 100) // 12 % 6 == 0))[..., None], 0, 255).astype(np.uint8).repeat(3, 2)
    )


def noise(height: int = 150, width: int = 170) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (height, width, 3), dtype=np.uint8)


HARD = {"screenshot": screenshot, "line": line_art, "noise": noise, "tiny": lambda: noise(5, 7)}


@pytest.mark.parametrize("quality", [15, 60, 100])
def test_no_file_is_larger_than_its_source_nor_worse_than_jpeg(tmp_path: Path, quality: int) -> None:
    """Screenshots, line art, noise and tiny pictures keep the promise, with the shipped model, measured anew here."""
    (tmp_path / "in").mkdir()
    for name, make in HARD.items():
        Image.fromarray(make()).save(tmp_path / "in" / f"{name}.png")
    rows = stored(tmp_path, None, quality=quality)
    settings = DecodeSettings(source=tmp_path / "a.bca", out=tmp_path / "out", jobs=1)
    assert not tally(decode_archive(settings)).failures
    assert len(rows) == len(HARD)
    for row in rows:
        original = HARD[row.path.removesuffix(".png")]()
        assert row.payload_bytes <= row.source_bytes
        with Image.open(tmp_path / "out" / row.path) as image:
            similarity = ms_ssim(np.asarray(image.convert("RGB")), original)
        if row.ms_ssim is not None:
            assert similarity == pytest.approx(row.ms_ssim, abs=1e-5)
        for at in range(1, 101):
            rival = plain_jpeg.encode(original, at)
            if len(rival) > row.payload_bytes - row.metadata_bytes:
                break
            assert similarity >= ms_ssim(jpeg.decode(rival)[0], original) - 1e-5


@pytest.mark.parametrize(("grey", "kinds"), [(False, {"webp", "png"}), (True, {"png"})])
def test_a_small_lossless_file_takes_the_place_of_a_payload(tmp_path: Path, grey: bool, kinds: set[str]) -> None:
    """A graphic whose lossless file is no larger is stored so, and comes back pixel by pixel, greyscale too."""
    (tmp_path / "in").mkdir()
    pixels = line_art()[:, :, 0] if grey else screenshot()
    Image.fromarray(pixels).save(tmp_path / "in" / "a.bmp")
    (row,) = stored(tmp_path, None, quality=90)
    assert (row.reason, row.ms_ssim) == (LOSSLESS_SMALLER, 1.0)
    assert row.stored in kinds
    assert row.entry == f"a.bmp.{row.stored}"
    assert verify(tmp_path / "a.bca").ok
    assert not tally(decode_archive(DecodeSettings(source=tmp_path / "a.bca", out=tmp_path / "out", jobs=1))).failures
    with Image.open(tmp_path / "out" / "a.png") as image:
        assert np.array_equal(np.asarray(image), pixels)


def test_a_picture_that_the_nets_spoil_is_stored_as_plain_jpeg(tmp_path: Path, useless_model: Path) -> None:
    """The entry is the best plain JPEG of the payload's bytes; it restores, verifies, and never counts as won."""
    pixels = texture()
    row = archived(tmp_path, useless_model, pixels)
    assert (row.stored, row.reason, row.scale) == ("jpeg", JPEG_BETTER, 1)
    assert row.model == weights.load_file(useless_model).sha256  # the one that was tried
    assert row.jpeg is not None
    assert row.payload_bytes <= row.jpeg.bytes * 1.03 + 60  # squeezed, a quality above may fit into the payload's bytes
    assert row.ms_ssim >= row.jpeg.ms_ssim - 1e-6
    assert row.jpeg.ms_ssim == round(row.jpeg.ms_ssim, 6)  # what is measured has one precision
    assert verify(tmp_path / "a.bca").ok
    settings = DecodeSettings(source=tmp_path / "a.bca", out=tmp_path / "out", model=useless_model, jobs=1)
    assert not tally(decode_archive(settings)).failures
    with Image.open(tmp_path / "out" / "a.png") as image:
        assert ms_ssim(np.asarray(image), pixels) == pytest.approx(row.ms_ssim, abs=1e-5)
    assert not tally(
        check_pictures(VerifySettings(archive=tmp_path / "a.bca", device="cpu", model=useless_model))
    ).failures
    report = report_row(row)
    assert report.won is False
    assert totals([report], 0).plain_jpeg == 1


def test_a_second_run_leaves_the_plain_jpeg_alone(tmp_path: Path, useless_model: Path) -> None:
    """A picture stored as plain JPEG is unchanged until its source or the quality changes."""
    archived(tmp_path, useless_model, texture())
    settings = CompressSettings(
        paths=(tmp_path / "in",), archive=tmp_path / "a.bca", model=useless_model, quality=60, jobs=1
    )
    assert tally(compress_archive(settings)).counts == {"unchanged": 1}


def test_a_source_smaller_than_any_jpeg_is_kept_as_it_is(tmp_path: Path, useless_model: Path) -> None:
    """A tiny JPEG source stays verbatim: no file in the archive is larger than its source."""
    row = archived(tmp_path, useless_model, texture(), ".jpg", quality=3)
    assert row.stored == "verbatim"
    assert row.payload_bytes == row.source_bytes
