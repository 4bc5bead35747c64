"""Photos into crops. Which crops a step sees is a pure function of (seed, step), so a resumed run sees the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from batchcomp.errors import PictureError, TrainingError
from batchcomp.images.load import load
from batchcomp.images.resizing import resize_image

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".avif"})
MIN_PHOTOS = 2
DEV_SHARE = 20  # one photo in 20 goes to the dev split
EDGED = 0.2  # share of crops that get an edge as scans have them


@dataclass(frozen=True, kw_only=True)
class Split:
    """Photos to train on and photos to select on; never the same file."""

    train: tuple[Path, ...]
    dev: tuple[Path, ...]


def is_dev(name: str) -> bool:
    """Whether a file name belongs to the dev split: a pure function of the name, so the split survives new photos."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:4], "big") % DEV_SHARE == 0


def photo_of(name: str) -> str:
    """The photo that a file is of: crops `NAME_0.jpg`, `NAME_1.jpg` of one photo share its name."""
    return re.sub(r"_[0-9](?=\.[^./]+$)", "", name)


def side_of(path: Path) -> int:
    """Length of the short side in pixels; 0 where the file is no readable photo."""
    try:
        with Image.open(path) as image:
            return min(image.size)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 0


def split_folder(folder: Path, *, crop: int) -> Split:
    """Find photos below `folder` whose short side is at least `crop` and split them by name.

    Crops of one photo, whose names differ in a last `_0` to `_9` alone, stay together.

    Raises:
        TrainingError: the folder is missing, or holds too few photos of that size.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder}: no such folder of photos; name an existing one")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    with ThreadPoolExecutor(8) as pool:
        sides = list(pool.map(side_of, paths))
    usable = [path for path, side in zip(paths, sides, strict=True) if side >= crop]
    if len(usable) < MIN_PHOTOS:
        raise TrainingError(
            f"{folder}: {len(usable)} of {len(paths)} photos have a short side of at least {crop} px; "
            f"training needs {MIN_PHOTOS} or more: add photos or use a smaller --crop (at least 176)"
        )
    dev = [p for p in usable if is_dev(photo_of(p.relative_to(folder).as_posix()))] or usable[:1]
    dev = dev[:1] if len(dev) == len(usable) else dev
    return Split(train=tuple(p for p in usable if p not in set(dev)), dev=tuple(dev))


def split_folders(folders: Sequence[Path], *, crop: int) -> list[tuple[Path, Split]]:
    """`split_folder` of each, in order; a folder may be named several times.

    Raises:
        TrainingError: as `split_folder`.
    """
    known = {folder: split_folder(folder, crop=crop) for folder in dict.fromkeys(folders)}
    return [(folder, known[folder]) for folder in folders]


def read_rgb(path: Path) -> Image.Image:
    """Read a photo as the codec would.

    Raises:
        PictureError: it is damaged, or of a kind that the codec does not carry (alpha, 16 bits, ...).
    """
    pixels = load(path).pixels
    return Image.fromarray(np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels)


class PhotoCache:
    """Decoded photos in memory, up to a budget; beyond it, photos are decoded anew each time."""

    def __init__(self, budget_bytes: int = 3 * 2**30) -> None:
        self._left = budget_bytes
        self._photos: dict[Path, Image.Image] = {}

    def get(self, path: Path) -> Image.Image:
        photo = self._photos.get(path)
        if photo is None:
            photo = read_rgb(path)
            size = photo.width * photo.height * 4  # Pillow holds RGB in 4 bytes
            if size <= self._left:
                self._left -= size
                self._photos[path] = photo
        return photo


def random_crop(photo: Image.Image, crop: int, rng: np.random.Generator) -> np.ndarray:
    """A flipped, perhaps shrunk crop (crop, crop, 3), uint8. Shrinking hides the source's own JPEG artefacts."""
    smallest = min(1.0, max(0.4, crop / min(photo.size)))
    factor = rng.uniform(smallest, 1.0) if rng.random() < 0.6 else 1.0
    side = min(round(crop / factor), *photo.size)
    left, top = (int(rng.integers(0, extent - side + 1)) for extent in photo.size)
    window = resize_image(photo, (crop, crop), box=(left, top, left + side, top + side))
    pixels = np.asarray(window)
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels


def scanned_edge(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A copy of (H, W, 3) uint8 with a thin line along one side, as scanners and careless cuts leave them.

    The outermost 1 or 2 rows or columns are dark, bright or any grey; the neighbouring one often overshoots, as
    sharpening makes it. A picture has few such pixels, but its eyes are drawn to them, and half size cannot hold them
    unless the networks have learned how.
    """
    edged = np.array(np.rot90(pixels, int(rng.integers(4))))
    width = 1 + int(rng.random() < 0.3)
    tone = (0, 255, int(rng.integers(256)))[int(rng.choice(3, p=(0.6, 0.15, 0.25)))]
    neighbour = edged[-width - 1].astype(np.float64)
    overshoot = rng.uniform(-0.1, 1.2) if rng.random() < 0.6 else 0.0
    edged[-width - 1] = np.clip(neighbour + overshoot * (neighbour - tone), 0, 255).astype(np.uint8)
    edged[-width:] = np.clip(tone + rng.normal(0, rng.uniform(0, 6), edged[-width:].shape), 0, 255).astype(np.uint8)
    return np.rot90(edged, int(rng.integers(4)))


class CropSource:
    """Batches of crops by step number."""

    def __init__(self, photos: Sequence[Path], *, crop: int, batch: int, seed: int) -> None:
        self.photos, self.crop, self.batch, self.seed = tuple(photos), crop, batch, seed
        self.fingerprint = hashlib.sha256("\0".join(p.name for p in self.photos).encode("utf-8", "replace")).hexdigest()
        self._cache = PhotoCache()

    def _photo(self, index: int) -> Image.Image:
        """A photo; in place of one that cannot be used, the next one that can, so that every run sees the same.

        Raises:
            TrainingError: none can be used.
        """
        for offset in range(len(self.photos)):
            with suppress(PictureError):
                return self._cache.get(self.photos[(index + offset) % len(self.photos)])
        raise TrainingError("none of the photos can be used (damaged, or with alpha, palette, 16 bits); add photos")

    def batch_at(self, step: int) -> tuple[Tensor, np.random.Generator]:
        """Crops (batch, 3, crop, crop) in [0, 1] of one step, and the generator for its further draws."""
        rng = np.random.default_rng((self.seed, step))
        chosen = rng.integers(0, len(self.photos), self.batch)
        crops = np.stack([self._crop(int(i), rng) for i in chosen])
        return torch.from_numpy(crops).permute(0, 3, 1, 2).float().div_(255), rng

    def _crop(self, index: int, rng: np.random.Generator) -> np.ndarray:
        pixels = random_crop(self._photo(index), self.crop, rng)
        return scanned_edge(pixels, rng) if rng.random() < EDGED else pixels

    def batches(self, first: int, last: int) -> Iterator[tuple[int, Tensor, np.random.Generator]]:
        """Steps first..last-1 in order, the next one made in a background thread meanwhile."""
        with ThreadPoolExecutor(1) as pool:
            pending = pool.submit(self.batch_at, first) if first < last else None
            for step in range(first, last):
                assert pending is not None  # noqa: S101  (submitted above or by the step before)
                crops, rng = pending.result()
                pending = pool.submit(self.batch_at, step + 1) if step + 1 < last else None
                yield step, crops, rng
