"""Crops that a GPU cuts out of photos that it holds: the augmentation of `training.data` without the host.

Photos are shrunk beforehand, four ways each. What the steps of a training see is drawn in advance, as whole numbers,
so that one CUDA graph can replay a step.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from batchcomp.codec.tables import COARSEST
from batchcomp.metrics.objective import PHASES
from batchcomp.training.data import EDGED, read_rgb, split_folders

CROP = 256


def versions_of(path: Path, seed: int) -> list[np.ndarray]:
    """A photo and four smaller ones, (H, W, 3) uint8: shrinking hides the source's own JPEG artefacts."""
    rng = np.random.default_rng((7, seed))
    photo = read_rgb(path)
    smallest = min(1.0, max(0.4, CROP / min(photo.size)))
    answer = [np.asarray(photo)]
    for part in range(4):
        factor = smallest + (1 - smallest) * (part + rng.random()) / 4
        size = (max(CROP, round(photo.width * factor)), max(CROP, round(photo.height * factor)))
        answer.append(np.asarray(photo.resize(size, Image.Resampling.BICUBIC, reducing_gap=None)))
    return answer


class DevicePhotos:
    """All photos of some folders' training split on a device, and which crops of them the next steps see.

    Args:
        folders: as `data.split_folders` takes them.
        device: where the photos go, as uint8: some 7 bytes for each of their pixels.
        seed: of the draws.
    """

    def __init__(self, folders: list[Path], device: torch.device, seed: int) -> None:
        paths = [photo for _, split in split_folders(folders, crop=CROP) for photo in split.train]
        with ThreadPoolExecutor(16) as threads:
            found = list(threads.map(versions_of, paths, range(len(paths))))
        shapes = np.array([[v.shape[:2] for v in photo] for photo in found])  # (photos, 5, 2)
        sizes = shapes.prod(-1)
        self.offsets = (np.cumsum(sizes.ravel()) - sizes.ravel()).reshape(sizes.shape)
        self.shapes, self.count = shapes, len(paths)
        self.pixels = torch.empty(int(sizes.sum()), 3, dtype=torch.uint8, device=device)
        for photo, offsets in zip(found, self.offsets, strict=True):
            for version, offset in zip(photo, offsets, strict=True):
                flat = torch.from_numpy(np.array(version.reshape(-1, 3)))
                self.pixels[int(offset) : int(offset) + len(flat)] = flat.to(device)
        self.rng = np.random.default_rng(seed)

    def draw(self, steps: int, batch: int, finest: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw what some steps see.

        Returns:
            What `crops` takes, (steps, batch, 6) int64 and (steps, batch, 5) float32, coarsenesses from `finest` on
            among them, and phases of the metrics' grid (steps, 2) int64.
        """
        rng, n = self.rng, (steps, batch)
        photo = rng.integers(0, self.count, n)
        version = np.where(rng.random(n) < 0.6, rng.integers(1, 5, n), 0)
        shape = self.shapes[photo, version]
        top, left = ((rng.random(n) * (shape[..., i] - CROP + 1)).astype(np.int64) for i in (0, 1))
        side = np.where(rng.random(n) < EDGED, rng.integers(0, 4, n), 4)
        ints = np.stack([self.offsets[photo, version], shape[..., 1], top, left, rng.random(n) < 0.5, side], -1)
        low, high = math.log(finest), math.log(COARSEST)
        coarseness = np.exp(low + (high - low) * (np.arange(batch) + rng.random(n)) / batch)
        tone = np.choose(rng.choice(3, n, p=(0.6, 0.15, 0.25)), [0, 255, rng.integers(0, 256, n)])
        over = np.where(rng.random(n) < 0.6, rng.uniform(-0.1, 1.2, n), 0.0)
        floats = np.stack([coarseness, 1 + (rng.random(n) < 0.3), tone, over, rng.uniform(0, 6, n)], -1)
        phases = rng.integers(0, PHASES, (steps, 2))
        return ints.astype(np.int64), floats.astype(np.float32), phases.astype(np.int64)


def crops(pixels: Tensor, ints: Tensor, floats: Tensor, at: Tensor) -> Tensor:
    """Crops (B, 3, 256, 256) in [0, 1], some with an edge as `data.scanned_edge` makes them.

    Args:
        pixels: all photos, (P, 3) uint8.
        ints: (B, 6): where a photo begins, its width, top and left of the crop, whether flipped, the side of the edge.
        floats: (B, 5): coarseness; of the edge its width, tone, the overshoot beside it, its noise.
        at: 0 to 255.
    """
    offset, stride, top, left, flip, side = ints.unbind(-1)
    rows = top[:, None] + at
    columns = left[:, None] + torch.where(flip[:, None] > 0, CROP - 1 - at, at)
    index = offset[:, None, None] + rows[:, :, None] * stride[:, None, None] + columns[:, None, :]
    x = pixels.index_select(0, index.flatten()).view(-1, CROP, CROP, 3).permute(0, 3, 1, 2).float()
    _, width, tone, over, sigma = (f.view(-1, 1, 1, 1) for f in floats.unbind(-1))
    s = side.view(-1, 1, 1)
    row, column = at.view(1, -1, 1), at.view(1, 1, -1)
    far = CROP - 1
    distance = torch.where(s == 0, row, torch.where(s == 1, far - row, torch.where(s == 2, column, far - column)))
    distance = torch.where(s == 4, CROP, distance)[:, None].float()
    line = (tone + sigma * torch.randn_like(x)).clamp(0, 255).round()
    next_to = (x + over * (x - tone)).clamp(0, 255).round()
    x = torch.where(distance < width, line, torch.where(distance == width, next_to, x))
    return x / 255
