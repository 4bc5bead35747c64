"""Crops that a device cuts are those of the photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from batchcomp.codec.tables import COARSEST
from batchcomp.metrics.objective import PHASES
from batchcomp.training.device_crops import CROP, DevicePhotos, crops


def test_crops_are_of_the_photo() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (CROP + 20, CROP + 30, 3), np.uint8)
    pixels = torch.from_numpy(np.concatenate([np.zeros((5, 3), np.uint8), photo.reshape(-1, 3)]))
    ints = torch.tensor([[5, CROP + 30, 7, 11, 0, 4], [5, CROP + 30, 0, 3, 1, 0]])
    floats = torch.tensor([[1.0, 1, 0, 0, 0], [1.0, 2, 255, 0, 0]])
    plain, edged = (
        (crop * 255).round().permute(1, 2, 0).numpy().astype(np.uint8)
        for crop in crops(pixels, ints, floats, torch.arange(CROP))
    )
    assert np.array_equal(plain, photo[7 : 7 + CROP, 11 : 11 + CROP])
    assert np.array_equal(edged[2:], photo[2:CROP, 3 : 3 + CROP][:, ::-1])
    assert (edged[:2] == 255).all()


def test_draws_stay_within_the_photos(tmp_path: Path) -> None:
    tones = {f"{tone}.png": tone for tone in (10, 120, 200)}
    for name, tone in tones.items():
        Image.new("RGB", (300 + tone, 280), (tone,) * 3).save(tmp_path / name)
    photos = DevicePhotos([tmp_path], torch.device("cpu"), seed=3)
    ints, floats, phases = photos.draw(steps=4, batch=8, finest=0.5)
    assert ((floats[..., 0] >= 0.5) & (floats[..., 0] <= COARSEST)).all()
    assert ((phases >= 0) & (phases < PHASES)).all()
    held = set()
    for step in range(4):
        plain = torch.from_numpy(ints[step])
        plain[:, 5] = 4  # no edges
        for crop in crops(photos.pixels, plain, torch.from_numpy(floats[step]), torch.arange(CROP)):
            held |= set((crop * 255).round().unique().int().tolist())  # a crop of two photos would have two tones
            assert len(crop.unique()) == 1
    assert held <= set(tones.values())
    assert len(held) == photos.count == 2  # one of the three is held out
