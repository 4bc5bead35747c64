"""Model files are data: they come back exactly, and none runs code or passes for one that it is not."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import pytest
import torch

from batchcomp.codec import weights
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.errors import ModelError
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


def test_equal_weights_make_equal_files() -> None:
    """The bytes, and so the hash, depend on the weights alone."""
    assert len({weights.to_bytes(tiny_model().network) for _ in range(8)}) == 1


def test_a_model_file_holds_everything_the_nets_need(tmp_path: Path) -> None:
    """Written and read back, the architecture and the weights are the same to float16."""
    network = ResidualNetwork(ResidualArchitecture(unshuffle=8, com_width=16, com_blocks=2, rec_width=8, rec_blocks=1))
    path = tmp_path / "m.safetensors"
    path.write_bytes(weights.to_bytes(network))
    model = weights.load_file(path)
    assert model.network.arch == network.arch
    for one, two in zip(model.network.parameters(), network.parameters(), strict=True):
        assert torch.allclose(one, two, atol=1e-3)


def test_the_shipped_model_is_known_by_its_hash() -> None:
    """The shipped weights load, are small, and are found by the first bytes of their hash."""
    model = weights.load_shipped()
    assert weights.load_by_hash(model.sha256[:16]).sha256 == model.sha256
    assert len(weights.to_bytes(model.network)) < 4_000_000


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda _: b"", "not a safetensors file"),
        (lambda _: b"\xff" * 200, "not a safetensors file"),
        (lambda data: data[:-10], "do not fit the architecture"),
        (lambda data: data.replace(b"batchcomp-model-1", b"batchcomp-model-9"), "format"),
        (lambda data: data.replace(b'\\"unshuffle\\": 4', b'\\"unshuffle\\": 8'), "do not fit the architecture"),
    ],
)
def test_a_damaged_model_is_a_clear_error(tmp_path: Path, damage, message: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Whatever is wrong with a model file, the error names the file and the reason."""
    path = tmp_path / "bad.safetensors"
    path.write_bytes(damage(weights.to_bytes(tiny_model().network)))
    with pytest.raises(ModelError, match=rf"bad\.safetensors: .*{message}"):
        weights.load_file(path)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("com_width", "8.0", "expected whole numbers"),
        ("com_width", "true", "expected whole numbers"),
        ("unshuffle", "-4", "expected whole numbers"),
        ("unshuffle", "10", "expected one of"),
        ("com_width", "512", "do not fit the architecture"),
        ("com_blocks", "100000", "at most"),
    ],
)
def test_a_forged_architecture_is_refused_at_no_cost(tmp_path: Path, field: str, value: str, message: str) -> None:
    """Sizes that build no net, or one that the file cannot hold, are an error before anything is built."""
    data = weights.to_bytes(tiny_model().network)
    old = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    header = json.loads(old["__metadata__"][weights.KEY])
    header["architecture"][field] = json.loads(value)
    old["__metadata__"][weights.KEY] = json.dumps(header)
    new = json.dumps(old).encode()
    path = tmp_path / "forged.safetensors"
    path.write_bytes(len(new).to_bytes(8, "little") + new + data[8 + int.from_bytes(data[:8], "little") :])
    with pytest.raises(ModelError, match=message):
        weights.load_file(path)


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    """A model with NaN in it would decode to garbage: refused."""
    network = tiny_model().network
    with torch.no_grad():
        network.log_tables[0, 0, 0] = float("nan")
    path = tmp_path / "nan.safetensors"
    path.write_bytes(weights.to_bytes(network))
    with pytest.raises(ModelError, match="not finite"):
        weights.load_file(path)


def test_a_missing_model_file_names_the_option(tmp_path: Path) -> None:
    """The message says which file and what to do."""
    with pytest.raises(ModelError, match=r"No such file.*--model"):
        weights.load_file(tmp_path / "none.safetensors")


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


@pytest.mark.skipif(os.name == "nt", reason="no such files there")
def test_what_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    """A device may never end and a FIFO never begin: neither is opened."""
    os.mkfifo(tmp_path / "fifo")
    for path in (Path("/dev/zero"), Path("/dev/null"), tmp_path / "fifo", tmp_path):
        with pytest.raises(ModelError, match=r"not a regular file; name a file with --model"):
            weights.load_file(path)


def test_a_model_of_another_hash_is_not_used(tmp_path: Path) -> None:
    """What an archive names by its hash is never replaced by a file that only claims to be it."""
    one = weights.to_bytes(tiny_model().network)
    path = tmp_path / "claims.safetensors"
    path.write_bytes(one[:-1] + bytes([one[-1] ^ 1]))
    wanted = weights.from_bytes(one, "one").sha256
    with pytest.raises(ModelError, match="not at hand"):
        weights.load_by_hash(wanted[:16], path)
