"""A graph computed by numpy, layer by layer in the plainest way: what an engine must agree with on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from batchcomp.codec.engines.base import Planes
from batchcomp.codec.engines.graph import ADD, MULTIPLY, REPLICATE, ROUND, SUBTRACT, Graph, Layer
from batchcomp.codec.resample_numpy import enlarged
from batchcomp.codec.whole_numbers import to_bytes


def run(graph: Graph, inputs: Sequence[Planes]) -> Planes:
    """The last output of a graph for its inputs (C, h, w), in their order.

    Raises:
        ValueError: it has a layer that is not known here.
    """
    given = iter(inputs)
    known: dict[str, Planes] = {}
    for number, layer in enumerate(graph.layers):
        values = [known[name] for name in layer.inputs]
        known[f"b{number}"] = next(given) if layer.kind == "Input" else _computed(layer, values)
    return known[graph.last]


def _computed(layer: Layer, values: list[Planes]) -> Planes:  # noqa: C901, PLR0911  (one for each kind)
    p: Any = layer.parameters
    match layer.kind:
        case "Convolution":
            return _convolved(layer, values[0])
        case "BinaryOp":
            other = values[1] if len(values) > 1 else np.float32(p[2])
            operation = {ADD: np.add, SUBTRACT: np.subtract, MULTIPLY: np.multiply}[p[0]]
            answer: Planes = operation(values[0], other)
            return answer
        case "Concat":
            return np.concatenate(values)
        case "UnaryOp" if p[0] == ROUND:
            return np.rint(values[0])
        case "Padding" if p[4] == REPLICATE:
            return np.pad(values[0], [(0, 0), (p[0], p[1]), (p[2], p[3])], mode="edge")
        case "Clip":
            return np.clip(values[0], np.float32(p[0]), np.float32(p[1]))
        case "ReLU":
            return np.maximum(values[0], 0)
        case "Reorg":
            c, h, w = values[0].shape
            parts = values[0].reshape(c, h // p[0], p[0], w // p[0], p[0])
            return parts.transpose(0, 2, 4, 1, 3).reshape(-1, h // p[0], w // p[0])
        case "PixelShuffle":
            c, h, w = values[0].shape
            parts = values[0].reshape(-1, p[0], p[0], h, w)
            return parts.transpose(0, 3, 1, 4, 2).reshape(-1, h * p[0], w * p[0])
        case "Interp":
            return enlarged(values[0], int(p[1]))
        case _:
            raise ValueError(f"{layer.kind}: no layer of the reference")


def _convolved(layer: Layer, x: Planes) -> Planes:
    p: Any = layer.parameters
    assert layer.weight is not None and layer.bias is not None  # noqa: S101, PT018  (for the type checker)
    edge, stride, weight = p[4], p.get(3, 1), layer.weight
    if layer.steps is not None:
        x = to_bytes(x, float(layer.steps[-1]))
        weight = weight / (layer.steps[:-1] * layer.steps[-1]).reshape(-1, 1, 1, 1)
    padded = np.pad(x, [(0, 0), (edge, edge), (edge, edge)])
    windows = sliding_window_view(padded, (p[1], p[1]), axis=(1, 2))[:, ::stride, ::stride]  # (C, h, w, k, k)
    answer: Planes = np.tensordot(weight, windows, axes=([1, 2, 3], [0, 3, 4]))
    answer += layer.bias[:, None, None]
    return np.maximum(answer, 0, out=answer) if p[9] else answer
