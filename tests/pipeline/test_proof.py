"""Pixels are recorded when they were seen, and proved when they are restored again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from batchcomp.archive import ArchiveReader, ArchiveWriter, Row
from batchcomp.codec import weights
from batchcomp.codec.identity import jpeg_decoder
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.proof import DIFFERENT, DIGITS, PROVED, UNKNOWN, digest
from batchcomp.pipeline.records import Done, Failed
from batchcomp.pipeline.verify import VerifySettings, check_pictures
from batchcomp.settings import CompressSettings
from tests.cli import samples
from tests.codec.samples import PLAIN


@pytest.fixture
def archive(tmp_path: Path, tiny_model: Path) -> Path:
    """Return an archive of a picture that the networks store, one that is lossless, and one that is verbatim."""
    photos = tmp_path / "photos"
    samples.save(photos / "a.png", samples.image(120, 150))
    flat = np.zeros((64, 64, 3), np.uint8)
    flat[20:40, 20:40] = 200
    samples.save(photos / "flat.bmp", samples.Image.fromarray(flat))
    samples.save(photos / "tiny.gif", samples.image(3, 3, mode="P"))
    settings = CompressSettings(paths=(photos,), archive=tmp_path / "x.bca", model=tiny_model, jobs=1)
    assert not [event for event in compress_archive(settings) if isinstance(event, Failed)]
    return tmp_path / "x.bca"


def rows(archive: Path) -> dict[str, Row]:
    return {row.path: row for row in ArchiveReader.open(archive).rows()}


def checked(archive: Path, model: Path) -> dict[str, Done | Failed]:
    """Verify by restoring, on the CPU."""
    events = check_pictures(VerifySettings(archive=archive, device="cpu", model=model))
    return {event.name: event for event in events if isinstance(event, Done | Failed)}


def rewritten(archive: Path, folder: Path, **fields: object) -> Path:
    """Write the same payloads to another archive, with other fields in the rows."""
    reader = ArchiveReader.open(archive)
    with ArchiveWriter(folder) as writer:
        for row in reader.rows():
            writer.add(replace(row, **fields), reader.read(row))  # type: ignore[arg-type]
    return folder


def test_the_digest_is_of_samples_in_rows() -> None:
    """It is the first half of the SHA-256 of height times width times channels bytes."""
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert digest(pixels) == digest(np.asfortranarray(pixels))
    assert digest(pixels) == digest(np.arange(24, dtype=np.uint8).reshape(4, 2, 3))
    assert len(digest(pixels)) == DIGITS


def test_restored_pixels_are_recorded_and_proved(archive: Path, tiny_model: Path) -> None:
    """Each row says what was seen and what made it; where the bytes are the source's that is proof enough."""
    found = rows(archive)
    assert {row.stored in {"webp", "png", "verbatim"} for row in found.values()} == {True, False}
    for row in found.values():
        assert bool(row.pixels_sha256) == (row.stored != "verbatim")
        assert bool(row.engine) == (row.stored in {"compact", "jpeg"})
        assert jpeg_decoder() in row.engine or not row.engine
    checks = checked(archive, tiny_model)
    assert {one.pixels for one in checks.values()} == {PROVED}


def test_rows_without_pixels_are_counted_apart(archive: Path, tmp_path: Path, tiny_model: Path) -> None:
    """As those of a run that did not measure."""
    bare = rewritten(archive, tmp_path / "bare.bca", pixels_sha256="", engine="")
    kinds = {name: row.stored for name, row in rows(bare).items()}
    for name, one in checked(bare, tiny_model).items():
        assert one.pixels == (PROVED if kinds[name] == "verbatim" else UNKNOWN)


def test_other_pixels_of_the_same_engine_are_a_failure(archive: Path, tmp_path: Path, tiny_model: Path) -> None:
    """The file is named, with the engine."""
    wrong = rewritten(archive, tmp_path / "wrong.bca", pixels_sha256="0" * DIGITS)
    for name, one in checked(wrong, tiny_model).items():
        if rows(wrong)[name].stored != "verbatim":
            assert isinstance(one, Failed)
            assert one.pixels
            assert not one.damage
            assert one.reason.startswith(f"{name}: the pixels differ from those recorded, with the same engine (")


def test_other_pixels_of_another_engine_are_a_note(archive: Path, tmp_path: Path, tiny_model: Path) -> None:
    """Its rounding may differ by one; but lossless files give the same pixels everywhere."""
    other = rewritten(archive, tmp_path / "other.bca", pixels_sha256="0" * DIGITS, engine="abacus 1.0")
    for name, one in checked(other, tiny_model).items():
        if rows(other)[name].stored in {"compact", "jpeg"}:
            assert isinstance(one, Done)
            assert one.pixels == DIFFERENT
            assert "(abacus 1.0 then, " in one.note
        elif rows(other)[name].stored != "verbatim":
            assert isinstance(one, Failed)


def test_an_exact_model_needs_no_engine_beside_its_pixels(tmp_path: Path) -> None:
    """Its rows name none, and other pixels are damage whatever computes them."""
    model = tmp_path / "exact.safetensors"
    model.write_bytes(weights.to_bytes(ResidualNetwork(replace(PLAIN, exact=True))))
    samples.save(tmp_path / "photos" / "a.png", samples.image(120, 150))
    settings = CompressSettings(paths=(tmp_path / "photos",), archive=tmp_path / "x.bca", model=model, jobs=1)
    assert not [event for event in compress_archive(settings) if isinstance(event, Failed)]
    (row,) = rows(settings.archive).values()
    assert (row.stored, row.engine, len(row.pixels_sha256)) == ("compact", "", DIGITS)
    assert checked(settings.archive, model)["a.png"].pixels == PROVED
    wrong = rewritten(settings.archive, tmp_path / "wrong.bca", pixels_sha256="0" * DIGITS)
    assert isinstance(checked(wrong, model)["a.png"], Failed)
