"""Refinement of one picture's coefficients by what they do behind RecCNN."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from batchcomp.codec import refine
from batchcomp.codec.codec import Codec
from batchcomp.codec.compact import Compact
from batchcomp.codec.rdoq import Tokens, bits_table
from batchcomp.codec.tables import quality_to_coarseness
from batchcomp.images.picture import Metadata, Picture, Pixels
from batchcomp.metrics.ms_ssim import ms_ssim, ms_ssim_db
from batchcomp.metrics.ssimulacra2 import ssimulacra2
from tests.cli.samples import photo
from tests.codec.conftest import tiny_model

CODEC = Codec(tiny_model())
PHOTO = Path(__file__).parents[2] / "examples/photos/coffee.png"


def picture(height: int, width: int, channels: int = 3) -> Picture:
    return Picture(pixels=photo(height, width, channels=channels), metadata=Metadata())


def cost(compact: Compact, original: Pixels) -> tuple[float, int]:
    """MS-SSIM in dB and bytes of a file read back."""
    data = CODEC.encode(compact)
    return ms_ssim_db(ms_ssim(original, CODEC.restore(data).pixels)), len(data)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_refined_file_is_better_at_its_bytes(channels: int) -> None:
    """It is more like the original by more than its bytes grow: a tenth of a dB is worth two per cent of the bytes."""
    one = picture(208, 250, channels)
    (compact,) = CODEC.compact([one], 40)
    (refined,) = CODEC.refined([one], [compact], 5)
    before, after = cost(compact, one.pixels), cost(refined, one.pixels)
    gained, grown = after[0] - before[0], after[1] / before[1] - 1
    assert gained / 0.1 * 0.02 - grown > 0.01


def test_a_refined_file_looks_better_in_fewer_bytes() -> None:
    """SSIMULACRA2 counts, too: aiming at MS-SSIM and MSE alone, it fell by .9 here."""
    one = picture(208, 250)
    (compact,) = CODEC.compact([one], 40)
    before, after = (CODEC.encode(each) for each in (compact, *CODEC.refined([one], [compact], 5)))
    scores = [ssimulacra2(CODEC.restore(data).pixels, one.pixels) for data in (before, after)]
    assert len(after) < len(before)
    assert scores[1] > scores[0] + 1


def test_the_gain_is_not_of_one_phase() -> None:
    """It is there without the first row and column, too: stepping at one phase of the metrics' grid alone, .4 were."""
    codec = Codec.open("fast", device="cpu", threads=1)
    photo = Picture(pixels=np.array(Image.open(PHOTO).convert("RGB"))[40:240, 60:290])
    (compact,) = codec.compact([photo], 50)
    before, after = (codec.encode(each) for each in (compact, *codec.refined([photo], [compact], 5)))
    scores = [ssimulacra2(codec.restore(data).pixels[1:, 1:], photo.pixels[1:, 1:]) for data in (before, after)]
    assert len(after) <= len(before)
    assert scores[1] > scores[0] + 1


def test_effort_0_and_tiny_pictures_change_nothing() -> None:
    """Where MS-SSIM has no room, or nothing is asked for, the coefficients are the usual ones."""
    for one, effort in ((picture(200, 200), 0), (picture(100, 300), 9)):
        (compact,) = CODEC.compact([one], 40)
        (refined,) = CODEC.refined([one], [compact], effort)
        assert np.array_equal(refined.coefficients, compact.coefficients)


def test_the_same_picture_gives_the_same_file() -> None:
    """Chance has a fixed start."""
    one = picture(200, 216)
    (compact,) = CODEC.compact([one], 60)
    files = {CODEC.encode(CODEC.refined([one], [compact], 2)[0]) for _ in range(2)}
    assert len(files) == 1


def test_tiles_cover_every_block_once() -> None:
    """Whatever the size, own parts meet without a gap, and margins end at the picture's edge."""
    for rows, columns in ((1, 1), (33, 70), (100, 31), (32, 49)):
        count = np.zeros((rows, columns), int)
        for row, column in refine.tiles(rows, columns, 32, 4):
            count[row.inner, column.inner] += 1
            assert 0 <= row.outer.start <= row.inner.start < row.inner.stop <= row.outer.stop <= rows
            assert row.inner.stop - row.inner.start <= 48
        assert (count == 1).all()


def test_a_large_picture_goes_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles are refined where they are: no tile's coefficients land in another's place."""
    monkeypatch.setattr(refine, "TILE", 192)
    one = picture(400, 420)
    (compact,) = CODEC.compact([one], 40)
    (refined,) = CODEC.refined([one], [compact], 4)
    changed = refined.coefficients != compact.coefficients
    assert changed.any()
    assert np.abs(refined.coefficients - compact.coefficients).max() <= refine.ITERATIONS[4]
    assert cost(refined, one.pixels)[0] > cost(compact, one.pixels)[0] - 0.05


def test_bits_of_steps_are_differences_of_the_total() -> None:
    """What a step is said to add is what the estimate of the whole plane then has more."""
    random = np.random.default_rng(0)
    blocks = np.rint(random.laplace(0, np.geomspace(4, 0.1, 64), (30, 64))).astype(np.int16)
    bits = bits_table(Tokens.of(blocks), len(blocks))
    down, up = refine.bits_of_steps(blocks, bits)
    for block, position in zip(random.integers(0, 30, 60), random.integers(1, 64, 60), strict=True):
        for sign, claimed in ((-1, down), (1, up)):
            stepped = blocks.copy()
            stepped[block, position] += sign
            assert refine.bits_of(stepped, bits) - refine.bits_of(blocks, bits) == pytest.approx(
                claimed[block, position]
            )


def test_the_gradient_is_that_of_the_decoder() -> None:
    """Decoding coefficients as tensors gives what the codec restores from the file."""
    one = picture(192, 208)
    (compact,) = CODEC.compact([one], 50)
    decoder = refine.Decoder(
        network=CODEC.model.network, tables=compact.tables, coarseness=quality_to_coarseness(compact.header.quality)
    )
    part = refine.Part(one.pixels, compact.coefficients, decoder)
    with torch.no_grad():
        restored = part._decoded(torch.from_numpy(part._start).float())[0].permute(1, 2, 0).numpy() * 255
    decoded = CODEC.restore(CODEC.encode(compact)).pixels
    assert np.abs(np.clip(restored, 0, 255) - decoded).mean() < 1.0


def test_the_curvature_is_larger_where_a_picture_is_smooth() -> None:
    """There an error shows in MS-SSIM; among noise it hides."""
    pixels = photo(208, 400).copy()
    noise = np.random.default_rng(0).integers(-60, 61, (208, 200, 3))
    pixels[:, 200:] = np.clip(pixels[:, 200:].astype(int) + noise, 0, 255)
    (compact,) = CODEC.compact([Picture(pixels=pixels)], 60)
    decoder = refine.Decoder(
        network=CODEC.model.network, tables=compact.tables, coarseness=quality_to_coarseness(compact.header.quality)
    )
    part = refine.Part(pixels, compact.coefficients, decoder)
    found = part._curvature(part._start, part._distortion(part._start)[1]).mean(2).view(3, 13, 25)
    assert found.isfinite().all()
    assert float(found[0, :, :10].mean()) > 1.5 * float(found[0, :, 15:].mean())
