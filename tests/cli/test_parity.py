"""Recovery data as a person meets it: asked for once, told of by verify, used by repair."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli import samples
from tests.cli.conftest import Run


def test_damage_is_restored_to_the_byte(compress: Run, run: Run, photos: Path) -> None:
    """Asked for once, the archive keeps to it; verify says what is borne, repair gives back what was."""
    assert compress(photos, "--no-measure", "--parity", "5%").code == 0
    samples.save(photos / "later.png", samples.image(60, 60, seed=6))
    assert compress(photos, "--no-measure").code == 0
    archive = photos.with_name("photos.bca")
    assert (archive / "000002.zip.parity").is_file()
    assert "recovery data 2 of 2 segments, each bears up to" in run("verify", archive).out
    segment = archive / "000001.zip"
    before = segment.read_bytes()
    segment.write_bytes(before[:300] + bytes(100) + before[400:])
    found = run("verify", archive)
    assert found.code == 4
    assert "blocks are damaged; the recovery data gives them back: run `batchcomp repair`" in found.err
    fixed = run("repair", archive)
    assert fixed.code == 0
    assert "restored to the byte" in fixed.err
    assert segment.read_bytes() == before
    assert run("verify", archive).code == 0


def test_damaged_recovery_data_is_damage(compress: Run, run: Run, photos: Path) -> None:
    """It is named, with what to do, and repair does it."""
    assert compress(photos, "--no-measure", "--parity", "10").code == 0
    parity = photos.with_name("photos.bca") / "000001.zip.parity"
    data = parity.read_bytes()
    parity.write_bytes(data[:-100] + bytes(100))
    found = run("verify", parity.parent)
    assert found.code == 4
    assert "000001.zip.parity: the recovery data is damaged in part; `batchcomp repair` writes it anew" in found.err
    assert "recovery data written anew" in run("repair", parity.parent).err
    assert parity.read_bytes() == data
    assert run("verify", parity.parent).code == 0


@pytest.mark.parametrize("share", ["much", "-1%", "101%", "0.01%", "nan"])
def test_what_is_no_percentage_is_refused(compress: Run, photos: Path, share: str) -> None:
    """With the value and what is expected."""
    result = compress(photos, f"--parity={share}")
    assert result.code == 2
    assert "expected" in result.err
