"""Model files are data: none runs code, costs memory it does not have, or passes for one that it is not."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
from importlib import resources
from pathlib import Path

import pytest
import torch

from batchcomp import models
from batchcomp.codec import weights
from batchcomp.errors import ModelError
from batchcomp.models import MODELS, PACKER, Shipped
from tests.codec.conftest import tiny_model


class Bomb:
    """What `torch.load` would run."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.target,))


def with_header(text: bytes, tail: bytes = b"") -> bytes:
    return len(text).to_bytes(8, "little") + text + tail


def forged(data: bytes, **changes: object) -> bytes:
    """Return a model file whose first tensor is described otherwise."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    name = next(key for key in header if key != "__metadata__")
    header[name] |= changes
    return with_header(json.dumps(header).encode(), data[8 + size :])


def test_pickles_are_not_run(tmp_path: Path) -> None:
    """A pickle and a checkpoint of torch are refused unread."""
    target, path = tmp_path / "pwned", tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(Bomb(target)))
    with pytest.raises(ModelError, match="not a safetensors file"):
        weights.load_file(path)
    torch.save({"weights": Bomb(target)}, path)
    with pytest.raises(ModelError, match="not a safetensors file"):
        weights.load_file(path)
    assert not target.exists()


@pytest.mark.parametrize(
    "data",
    [
        with_header(b"[" * 90_000),
        with_header(b'{"__metadata__":' + b'{"a":' * 15_000),
        with_header(b"{}"),
        with_header(b"null"),
        with_header(b'{"__metadata__": null}'),
        with_header(b'{"__metadata__": {"batchcomp": "[]"}}'),
        with_header(b'{"__metadata__": {"batchcomp": "{\\"format\\": []}"}}'),
        with_header(b"\xff\xfe"),
        (2**63).to_bytes(8, "little") + b"{}",
    ],
    ids=["deep list", "deep object", "empty", "null", "no metadata", "list", "format", "no text", "endless header"],
)
def test_forged_headers_are_an_error(tmp_path: Path, data: bytes) -> None:
    """Nested, mistyped and endless headers are one line that names the file."""
    path = tmp_path / "forged.safetensors"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"forged\.safetensors: ") as caught:
        weights.load_file(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"data_offsets": [0, 2**62]},
        {"data_offsets": [2**62, 2**62 + 8]},
        {"data_offsets": [-8, 8]},
        {"shape": [2**31, 2**31]},
        {"shape": [-1]},
        {"dtype": "F64"},
        {"dtype": "EXEC"},
    ],
    ids=str,
)
def test_forged_tensors_are_an_error(tmp_path: Path, changes: dict[str, object]) -> None:
    """Tensors outside the file, of sizes or types that do not fit, are refused."""
    path = tmp_path / "forged.safetensors"
    path.write_bytes(forged(weights.to_bytes(tiny_model().network), **changes))
    with pytest.raises(ModelError, match=r"forged\.safetensors: "):
        weights.load_file(path)


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    """A sparse file of 300 MiB costs nothing."""
    path = tmp_path / "large.safetensors"
    with path.open("wb") as file:
        file.truncate(300 * 2**20)
    with pytest.raises(ModelError, match="larger than 256 MiB"):
        weights.load_file(path)


def test_a_model_of_another_hash_is_not_used(tmp_path: Path) -> None:
    """What an archive names by its hash is never replaced by a file that only claims to be it."""
    one = weights.to_bytes(tiny_model().network)
    path = tmp_path / "claims.safetensors"
    path.write_bytes(one[:-1] + bytes([one[-1] ^ 1]))
    wanted = weights.from_bytes(one, "one").sha256
    with pytest.raises(ModelError, match="not at hand"):
        weights.load_by_hash(wanted[:16], path)


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
