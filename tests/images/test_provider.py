"""Pillow or pillow-simd: which one it is, and whether it may decode untrusted files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import Image
from typer.testing import CliRunner

from batchcomp.cli.app import app
from batchcomp.errors import UsageError
from batchcomp.images.provider import Provider, check_provider, provider
from tests.cli.samples import photo


@pytest.mark.parametrize(
    ("version", "name", "safe"),
    [
        ("13.0.0", "Pillow", True),
        ("14.1.0.dev0", "Pillow", True),
        ("12.2.0", "Pillow", False),
        ("12.1.1.post0", "pillow-simd", False),
        ("13.0.0.post1", "pillow-simd", True),
    ],
)
def test_the_version_tells_the_provider(monkeypatch: pytest.MonkeyPatch, version: str, name: str, safe: bool) -> None:
    """Only pillow-simd numbers releases with .post; below 13 decoders have known holes."""
    monkeypatch.setattr(PIL, "__version__", version)
    assert provider() == Provider(name=name, version=version)
    assert provider().safe is safe


def test_old_decoders_are_for_trusted_input_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the library, its version and both ways out."""
    monkeypatch.setattr(PIL, "__version__", "12.1.1.post0")
    with pytest.raises(UsageError, match=r"pillow-simd 12\.1\.1\.post0.*pillow>=13.*--trusted-input"):
        check_provider(trusted=False)
    check_provider(trusted=True)


def test_commands_ask_and_doctor_tells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_model: Path) -> None:
    """`compress` stops with exit code 2 unless the input is declared trusted; `doctor` always runs."""
    monkeypatch.setattr(PIL, "__version__", "12.1.1.post0")
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(tmp_path / "a.png")
    arguments = ["compress", str(tmp_path / "a.png"), "-o", str(tmp_path / "a.bca"), "--model", str(tiny_model)]
    refused = CliRunner().invoke(app, arguments)
    assert refused.exit_code == 2
    assert not (tmp_path / "a.bca").exists()
    assert CliRunner().invoke(app, [*arguments, "--trusted-input"]).exit_code == 0
    doctor = CliRunner().invoke(app, ["doctor"])
    assert doctor.exit_code == 0
    assert "pillow-simd 12.1.1.post0 (lacks security fixes" in doctor.stdout


def test_the_whole_way_with_what_is_installed(tmp_path: Path, tiny_model: Path) -> None:
    """Whichever library it is, a photo goes into an archive, measured, and comes back."""
    pixels = photo(120, 180)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    archive, model = str(tmp_path / "a.bca"), ("--model", str(tiny_model), "--trusted-input")
    for arguments in (
        ("compress", str(tmp_path / "a.png"), "-o", archive, "-q", "70", *model),
        ("verify", archive, "--decode", *model),
        ("decode", archive, "-o", str(tmp_path / "out"), *model),
    ):
        assert CliRunner().invoke(app, arguments).exit_code == 0, arguments
    with Image.open(tmp_path / "out" / "a.png") as restored:
        assert np.abs(np.asarray(restored).astype(int) - pixels).mean() < 20
