"""Model files."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from batchcomp.codec import weights
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.codec.tables import QUALITIES, quality_to_coarseness, tables_at
from batchcomp.errors import ModelError
from tests.codec.conftest import tiny_model


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


def test_the_parameter_count_is_the_nets_own() -> None:
    """What the architecture says it needs is what it builds."""
    for arch in (
        ResidualArchitecture(),
        ResidualArchitecture(unshuffle=8, com_width=16, rec_blocks=2),
        ResidualArchitecture(scale=1, unshuffle=2),
    ):
        assert arch.parameters == sum(p.numel() for p in ResidualNetwork(arch).parameters())


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


def test_coarseness_falls_geometrically_with_quality() -> None:
    """Coarsenesses go from 9 to 0.25, and every table value grows with them."""
    found = [quality_to_coarseness(q) for q in QUALITIES]
    assert (found[0], found[-1]) == (pytest.approx(9), pytest.approx(0.25))
    assert found == sorted(found, reverse=True)
    logs = tiny_model().network.log_tables.numpy()
    tables = [tables_at(logs, coarseness) for coarseness in found]
    assert all((a >= b).all() for a, b in pairwise(tables))
    assert min(t.min() for t in tables) >= 1
    assert max(t.max() for t in tables) <= 255
