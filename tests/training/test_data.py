"""Photos into splits and crops."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from batchcomp.errors import TrainingError
from batchcomp.training.data import CropSource, is_dev, photo_of, split_folder, split_folders
from tests.training.samples import photo


def test_damaged_photos_are_passed_over(photos: Path, tmp_path: Path) -> None:
    """A photo that breaks off counts as absent; every run takes the same one in its place."""
    for name in ("0.png", "1.png", "2.png"):
        data = (photos / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2] if name == "1.png" else data)
    source = CropSource(sorted(tmp_path.glob("*.png")), crop=176, batch=8, seed=0)
    assert source.batch_at(0)[0].shape == (8, 3, 176, 176)
    with pytest.raises(TrainingError, match="none of the photos"):
        CropSource([tmp_path / "1.png"], crop=176, batch=1, seed=0).batch_at(0)


def test_some_photos_are_left_to_train_on(tmp_path: Path) -> None:
    """Where chance would send every photo to the dev split, one goes there."""
    chosen = [f"{n}.png" for n in range(400) if is_dev(f"{n}.png")][:2]
    for name in chosen:
        Image.fromarray(photo(0)).save(tmp_path / name)
    split = split_folder(tmp_path, crop=176)
    assert (len(split.train), len(split.dev)) == (1, 1)


@pytest.mark.parametrize(
    ("make", "message"), [(lambda p: p / "none", "no such folder"), (lambda p: p, "0 of 0 photos")]
)
def test_too_few_photos_are_a_clear_error(tmp_path: Path, make, message: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """A missing or empty folder says what training needs."""
    with pytest.raises(TrainingError, match=message):
        split_folder(make(tmp_path), crop=192)


def test_photos_that_are_too_small_are_counted(photos: Path) -> None:
    """The message says how many of how many photos are large enough."""
    with pytest.raises(TrainingError, match="0 of 3 photos have a short side of at least 256 px"):
        split_folder(photos, crop=256)


def test_train_and_dev_never_share_a_photo(photos: Path) -> None:
    """Every usable photo is in exactly one split, whatever else lies in the folder."""
    split = split_folder(photos, crop=176)
    assert not set(split.train) & set(split.dev)
    assert set(split.train) | set(split.dev) == set(photos.glob("*.png"))
    share = sum(is_dev(f"{n}.jpg") for n in range(4000)) / 4000
    assert 0.03 < share < 0.07


def test_a_step_sees_the_same_crops_whenever_it_runs(photos: Path) -> None:
    """Batches depend on seed and step alone."""
    sources = [CropSource(sorted(photos.glob("*.png")), crop=176, batch=2, seed=3) for _ in range(2)]
    direct = sources[0].batch_at(5)[0]
    streamed = {step: x for step, x, _ in sources[1].batches(4, 7)}[5]
    assert torch.equal(direct, streamed)
    assert not torch.equal(direct, sources[0].batch_at(6)[0])


@pytest.mark.parametrize(
    ("name", "photo_name"),
    [("a/sea_0.jpg", "a/sea.jpg"), ("sea_9.JPEG", "sea.JPEG"), ("sea_12.jpg", "sea_12.jpg"), ("sea.jpg", "sea.jpg")],
)
def test_crops_share_the_name_of_their_photo(name: str, photo_name: str) -> None:
    """One last digit after an underscore numbers the crops of a photo."""
    assert photo_of(name) == photo_name


def test_crops_of_one_photo_stay_together(tmp_path: Path) -> None:
    """The network is never selected on a photo part of which it has learned."""
    chosen = next(f"{n}" for n in range(400) if is_dev(f"{n}.png"))
    for name in (f"{chosen}_0.png", f"{chosen}_1.png", "other_0.png", "other_1.png"):
        Image.fromarray(photo(0)).save(tmp_path / name)
    split = split_folder(tmp_path, crop=176)
    assert [path.name for path in split.dev] == [f"{chosen}_0.png", f"{chosen}_1.png"]


def test_each_folder_has_a_split_of_its_own(photos: Path, tmp_path: Path) -> None:
    """In the order in which they are named, as often as they are named."""
    for seed in (7, 8):
        Image.fromarray(photo(seed)).save(tmp_path / f"{seed}.png")
    found = split_folders([photos, tmp_path, photos], crop=176)
    assert [folder for folder, _ in found] == [photos, tmp_path, photos]
    assert found[0][1] is found[2][1]
    assert found[1][1] == split_folder(tmp_path, crop=176)
