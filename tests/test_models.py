"""The weights that ship are those of their table and of their cards."""

from __future__ import annotations

import hashlib
import re
from importlib import resources

import pytest

from batchcomp import models
from batchcomp.codec import weights
from batchcomp.errors import ModelError
from batchcomp.models import MODELS, PACKER, Shipped


def test_the_shipped_files_are_those_of_their_cards() -> None:
    """The card of each shipped model gives the SHA-256 of the table."""
    for name, shipped in MODELS.items():
        card = (resources.files("batchcomp.models") / f"{name}.md").read_text(encoding="utf-8")
        assert re.findall(r"\b[0-9a-f]{64}\b", card)[0] == shipped.sha256


def test_the_shipped_files_are_those_of_the_table() -> None:
    """Every file that ships has the SHA-256 that stands beside its name, and no other file ships."""
    files = {path.name: path.read_bytes() for path in resources.files("batchcomp.models").iterdir()
             if path.name.endswith(".safetensors")}  # fmt: skip
    expected = {f"{name}.safetensors": shipped.sha256 for name, shipped in {**MODELS, "packer": PACKER}.items()}
    assert {name: hashlib.sha256(data).hexdigest() for name, data in files.items()} == expected


def test_a_shipped_file_that_changed_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading checks the bytes against the table."""
    monkeypatch.setattr(models, "MODELS", {"default": Shipped(sha256="0" * 64)})
    with pytest.raises(ModelError, match="default: the shipped weights are damaged"):
        weights.load_shipped("default")


def test_finding_a_model_reads_its_file_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash stands in the table: other models are not read."""
    read: list[str] = []
    file_of = models.model_file
    monkeypatch.setattr(weights, "model_file", lambda name: read.append(name) or file_of(name))
    assert weights.load_by_hash(MODELS["fast"].sha256[:8]).name == "fast"
    assert read == ["fast"]
