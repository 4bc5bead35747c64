"""ncnn's text format for networks: https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

_MAGIC = 7767517  # first line of ncnn's text format
_FLOAT32 = b"\0\0\0\0"  # precedes weights that are stored as they are
ADD, SUBTRACT, MULTIPLY = 0, 1, 2  # operations of `BinaryOp`
BICUBIC: Final = 3  # kind of `Interp`

Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One line: a kind, the names of its inputs and its parameters by ncnn's numbers; its output is named by its place.

    A convolution brings its weights (out, in, k, k) and biases (out,).
    """

    kind: str
    inputs: tuple[str, ...]
    parameters: dict[int, float]
    weight: Array | None = None
    bias: Array | None = None

    def __str__(self) -> str:
        return " ".join(f"{number}={value}" for number, value in self.parameters.items())


@dataclass
class Graph:
    """A graph being written; `array` gives the tensors of the network by name."""

    array: Callable[[str], Array]
    layers: list[Layer] = field(default_factory=list)

    def add(self, kind: str, *inputs: str, parameters: dict[int, float] | None = None) -> str:
        """Append a layer and return the name of its output."""
        self.layers.append(Layer(kind=kind, inputs=inputs, parameters=parameters or {}))
        return self.last

    @property
    def last(self) -> str:
        """The name of the last layer's output."""
        return f"b{len(self.layers) - 1}"

    def conv(self, name: str, x: str, *, relu: bool = False, stride: int = 1) -> str:
        """Append the convolution `name` with its bias, padded by zeros to the size of its input."""
        weight, bias = self.array(f"{name}.weight"), self.array(f"{name}.bias")
        size = weight.shape[2]
        parameters = {0: len(weight), 1: size, 3: stride, 4: size // 2, 5: 1, 6: weight.size, 9: int(relu)}
        self.layers.append(
            Layer(kind="Convolution", inputs=(x,), parameters=dict(parameters), weight=weight, bias=bias)
        )
        return self.last

    def sum_of(self, a: str, b: str) -> str:
        return self.add("BinaryOp", a, b, parameters={0: ADD})

    def product_of(self, a: str, b: str) -> str:
        return self.add("BinaryOp", a, b, parameters={0: MULTIPLY})

    def less(self, x: str, number: float) -> str:
        return self.add("BinaryOp", x, parameters={0: SUBTRACT, 1: 1, 2: number})

    def unshuffled(self, x: str, by: int) -> str:
        return x if by == 1 else self.add("Reorg", x, parameters={0: by})

    def shuffled(self, x: str, by: int) -> str:
        return x if by == 1 else self.add("PixelShuffle", x, parameters={0: by})

    def enlarged(self, x: str, by: int) -> str:
        """Bicubic (a = -0.75), half-pixel centres, edges replicated."""
        return x if by == 1 else self.add("Interp", x, parameters={0: BICUBIC, 1: float(by), 2: float(by)})

    @property
    def weights(self) -> bytes:
        """The weights in the layers' order."""
        parts = []
        for layer in self.layers:
            if layer.weight is not None and layer.bias is not None:
                parts += [_FLOAT32, layer.weight.astype("<f4").tobytes(), layer.bias.astype("<f4").tobytes()]
        return b"".join(parts)

    def text(self) -> str:
        """The whole graph; an output that several layers read passes through a Split first, as ncnn demands."""
        uses = Counter(name for layer in self.layers for name in layer.inputs)
        taken: Counter[str] = Counter()
        lines = []
        for number, layer in enumerate(self.layers):
            name, given = f"b{number}", []
            for one in layer.inputs:
                given.append(f"{one}_{taken[one]}" if uses[one] > 1 else one)
                taken[one] += 1
            lines.append(" ".join(f"{layer.kind} l{number} {len(given)} 1 {' '.join(given)} {name} {layer}".split()))
            if uses[name] > 1:
                copies = " ".join(f"{name}_{i}" for i in range(uses[name]))
                lines.append(f"Split s{number} 1 {uses[name]} {name} {copies}")
        blobs = sum(int(line.split()[3]) for line in lines)
        return "\n".join([str(_MAGIC), f"{len(lines)} {blobs}", *lines, ""])
