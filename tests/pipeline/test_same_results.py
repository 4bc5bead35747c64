"""Bytes, pixels and rows are the same, however many pictures are in hand, in whatever order and company."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from batchcomp.archive import ArchiveReader, Row
from batchcomp.codec.engines import select
from batchcomp.pipeline import compress as compressing
from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.decode import decode_archive
from batchcomp.pipeline.records import Done, Expected
from batchcomp.settings import CompressSettings, DecodeSettings

SIZES = [(240, 200), (33, 170), (180, 180), (1, 1), (200, 240), (64, 64)]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Smooth pictures in colour and grey, a repeated one, and a flat one."""
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    paths = []
    for number, size in enumerate(SIZES):
        image = Image.fromarray(rng.integers(0, 256, (9, 11, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
        paths.append(folder / f"{number}.png")
        (image.convert("L") if number == 2 else image).save(paths[-1])
    paths.append(folder / "again.png")
    paths[-1].write_bytes(paths[0].read_bytes())
    return paths


def archived(folder: Path, paths: list[Path], **settings: object) -> dict[str, tuple[Row, str]]:
    """What became of each picture, but for what depends on the clock and on where its content lies."""
    asked = CompressSettings(paths=tuple(paths), archive=folder, isolate=False, **settings)  # type: ignore[arg-type]
    assert all(isinstance(event, Done) for event in compress_archive(asked))
    with ArchiveReader.open(folder) as archive:
        return {
            row.path: (
                replace(row, seconds=0, entry="", owner_segment=0),
                hashlib.sha256(archive.read(row)).hexdigest(),
            )
            for row in archive.rows()
        }


def restored(folder: Path, out: Path, **settings: object) -> dict[str, bytes]:
    asked = DecodeSettings(source=folder, out=out, **settings)  # type: ignore[arg-type]
    assert all(isinstance(event, Done | Expected) for event in decode_archive(asked))
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_results_do_not_depend_on_jobs_order_or_company(tmp_path: Path, photos: list[Path]) -> None:
    """One at a time or four at once, forwards or backwards, alone or among others."""
    usual = archived(tmp_path / "usual.bca", photos, jobs=1)
    assert len(usual) == len(photos)
    assert archived(tmp_path / "many.bca", photos[::-1], jobs=4) == usual
    for one in (photos[0], photos[2]):
        alone = archived(tmp_path / f"{one.stem}.bca", [one], jobs=3)
        assert alone == {one.name: usual[one.name]}


def test_windows_give_what_single_pictures_give(
    tmp_path: Path, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way of a device, here with the CPU's engines: stages over windows of pictures."""
    usual = archived(tmp_path / "usual.bca", photos, jobs=2)
    monkeypatch.setattr(compressing, "by_picture", compressing.by_window)
    assert archived(tmp_path / "windows.bca", photos, jobs=2) == usual


def test_restored_files_do_not_depend_on_jobs_or_order(tmp_path: Path, photos: list[Path]) -> None:
    """Byte for byte; pictures that are restored alone too."""
    folder = tmp_path / "a.bca"
    archived(folder, photos, jobs=2)
    usual = restored(folder, tmp_path / "usual", jobs=1)
    assert len(usual) == len(photos)
    assert restored(folder, tmp_path / "many", jobs=4) == usual
    assert restored(folder, tmp_path / "one", patterns=("2.png",), jobs=3) == {"2.png": usual["2.png"]}


@pytest.mark.skipif(not select.has_ncnn(), reason="there is one engine only")
def test_restored_files_do_not_depend_on_the_engine(
    tmp_path: Path, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a model that computes in whole numbers: ncnn's files are torch's, byte for byte."""
    folder = tmp_path / "a.bca"
    archived(folder, photos, jobs=2, model=Path("fast"))
    usual = restored(folder, tmp_path / "usual", jobs=2)
    monkeypatch.setattr(select, "has_ncnn", lambda: False)
    assert restored(folder, tmp_path / "torch", jobs=2) == usual
