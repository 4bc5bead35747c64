"""The packer's networks count in whole numbers."""

from __future__ import annotations

import numpy as np
from safetensors.numpy import load

from batchcomp.codec.dct import ZIGZAG
from batchcomp.codec.pack import model
from batchcomp.codec.tables import quality_to_coarseness
from batchcomp.codec.weights import load_shipped
from batchcomp.models import MODELS, packer_file


def test_probabilities_do_not_depend_on_the_order_of_sums() -> None:
    """All sums stay below 2^24, where float32 is exact: the networks give what whole numbers give."""
    packer = model.shipped()
    rng = np.random.default_rng(2)
    for net in (*packer.ac, *packer.dc):
        count, _, features = net.first.shape
        k = int(rng.integers(0, count)) + (count > 1)
        x = rng.integers(-255, 256, (features, 50)).astype(np.float32)
        at = max(0, k - 1)
        assert float((np.abs(net.first[at]) * 255).sum(axis=1).max() + np.abs(net.first_bias[at]).max()) < 2**24
        assert float((np.abs(net.second) * 255).sum(axis=1).max() + np.abs(net.second_bias).max()) < 2**24
        whole = [layer.astype(np.int64) for layer in (net.first[at], net.first_bias[at], net.second, net.second_bias)]
        h = np.clip((whole[0] @ x.astype(np.int64) + whole[1]) // 32, 0, 255)
        h = np.clip((whole[2] @ h + whole[3]) // 64, 0, 255)
        expected = (net.last.astype(np.int64) @ h + net.last_bias[at].astype(np.int64)) // 16
        assert np.array_equal(net.logits(k, x), expected)


def test_each_model_that_ships_has_the_tables_that_it_writes() -> None:
    """A packed file then says nothing of them; of an unknown model it expects those of the first."""
    packer = model.shipped()
    for name in ("default", "default-fine"):
        network = load_shipped(name).network
        key = bytes.fromhex(MODELS[name].sha256)[:4]
        for quality in (1, 40, 98):
            written = network.tables_at(quality_to_coarseness(quality)).reshape(2, 64)[:, ZIGZAG]
            assert np.array_equal(packer.expected(key, quality + 0.3), written)
    first = next(iter(packer.tables))
    assert np.array_equal(packer.expected(b"none", 7), packer.expected(first, 7))


def test_a_file_holds_what_is_computed_with() -> None:
    """Writing rounds to whole numbers, which changes no network; written again, the file is the same."""
    data = packer_file()
    tensors = {name: value for name, value in load(data).items() if name != "likely"}
    assert model.to_bytes(tensors) == data
    noisy = {name: value + np.float32(1e-4) if name.endswith("second") else value for name, value in tensors.items()}
    assert model.to_bytes(noisy) == data
