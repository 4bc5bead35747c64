"""ncnn's text format."""

from __future__ import annotations

import numpy as np

from batchcomp.codec.engines.graph import Graph

ARRAYS = {"a.weight": np.arange(54, dtype=np.float32).reshape(3, 2, 3, 3), "a.bias": np.ones(3, np.float32)}


def test_an_output_that_two_layers_read_is_split() -> None:
    """The text counts layers and blobs, and every blob has one reader."""
    graph = Graph(ARRAYS.__getitem__)
    x = graph.add("Input")
    graph.sum_of(x, x)
    magic, counts, *lines = graph.text().splitlines()
    assert magic == "7767517"
    assert counts == "3 4"
    assert lines == ["Input l0 0 1 b0", "Split s0 1 2 b0 b0_0 b0_1", "BinaryOp l1 2 1 b0_0 b0_1 b1 0=0"]


def test_a_convolution_brings_its_weights() -> None:
    """Weights are little-endian float32 in the order of the layers, each tensor of weights behind its tag."""
    graph = Graph(ARRAYS.__getitem__)
    graph.conv("a", graph.add("Input"), relu=True)
    assert graph.text().splitlines()[-1] == "Convolution l1 1 1 b0 b1 0=3 1=3 3=1 4=1 5=1 6=54 9=1"
    assert graph.weights[:4] == bytes(4)
    found = np.frombuffer(graph.weights[4:], "<f4")
    assert np.array_equal(found[:54], ARRAYS["a.weight"].ravel())
    assert np.array_equal(found[54:], ARRAYS["a.bias"])


def test_steps_that_change_nothing_are_left_out() -> None:
    """Unshuffling, shuffling and enlarging by 1 add no layer."""
    graph = Graph(ARRAYS.__getitem__)
    x = graph.add("Input")
    assert graph.unshuffled(x, 1) == graph.shuffled(x, 1) == graph.enlarged(x, 1) == x
    assert len(graph.layers) == 1
