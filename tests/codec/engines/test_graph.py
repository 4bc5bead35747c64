"""ncnn's text format."""

from __future__ import annotations

import torch
from torch import nn

from batchcomp.codec.engines.graph import Graph


def test_an_output_that_two_layers_read_is_split() -> None:
    """The text counts layers and blobs, and every blob has one reader."""
    graph = Graph()
    x = graph.add("Input", [])
    graph.sum_of(x, x)
    magic, counts, *lines = graph.text().splitlines()
    assert magic == "7767517"
    assert counts == "3 4"
    assert lines == ["Input l0 0 1 b0", "Split s0 1 2 b0 b0_0 b0_1", "BinaryOp l1 2 1 b0_0 b0_1 b1 0=0"]


def test_a_convolution_brings_its_weights() -> None:
    """Weights are little-endian float32 in the order of the layers, each tensor of weights behind its tag."""
    graph, conv = Graph(), nn.Conv2d(2, 3, 3, padding=1)
    graph.conv(conv, graph.add("Input", []), relu=True)
    assert graph.lines[-1] == ("Convolution", ["b0"], "0=3 1=3 4=1 5=1 6=54 9=1")
    tag, kernel, bias = graph.weights
    assert tag == bytes(4)
    assert torch.equal(torch.frombuffer(bytearray(kernel), dtype=torch.float32), conv.weight.detach().flatten())
    assert len(bias) == 3 * 4
