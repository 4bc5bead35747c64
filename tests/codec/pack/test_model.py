"""The packer's networks count in whole numbers."""

from __future__ import annotations

import numpy as np

from batchcomp.codec.pack import model


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
