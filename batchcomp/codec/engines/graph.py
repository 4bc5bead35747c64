"""ncnn's text format for networks: https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.codec.whole_numbers import INPUT_LIMIT, doubling, whole

_MAGIC = 7767517  # first line of ncnn's text format
_FLOAT32 = b"\0\0\0\0"  # precedes weights that are stored as they are
ADD, SUBTRACT, MULTIPLY = 0, 1, 2  # operations of `BinaryOp`
ROUND: Final = 18  # of `UnaryOp`: to the nearest, ties to even
REPLICATE: Final = 1  # kind of `Padding`
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

    def conv(self, name: str, x: str, *, relu: bool = False, stride: int = 1, more: int = 0) -> str:
        """Append the convolution `name` with its bias, padded by zeros to the size of its input.

        `more` inputs count for nothing.
        """
        weight, bias = self.array(f"{name}.weight"), self.array(f"{name}.bias")
        weight = np.pad(weight, [(0, 0), (0, more), (0, 0), (0, 0)])
        return self._conv(x, weight, bias, relu=relu, stride=stride)

    def _conv(self, x: str, weight: Array, bias: Array, **further: int) -> str:
        """Append a convolution; `further` are its stride, its padding and whether a ReLU follows."""
        size = weight.shape[2]
        edge, stride = further.get("padding", size // 2), further.get("stride", 1)
        parameters = {0: len(weight), 1: size, 3: stride, 4: edge, 5: 1, 6: weight.size, 9: int(further.get("relu", 0))}
        self.layers.append(
            Layer(kind="Convolution", inputs=(x,), parameters=dict(parameters), weight=weight, bias=bias)
        )
        return self.last

    def steps_of(self, name: str) -> float:
        """Steps in 1 of the grid that the exact convolution `name` rounds its inputs to, a power of two."""
        return 2.0 ** round(float(self.array(f"{name}.grid.exponent")))

    def on_grid(self, name: str, x: str, *, held: float = 1) -> str:
        """Append the rounding to the grid of the exact convolution `name`; `x` holds values times `held`."""
        steps = self.steps_of(name)
        x = x if steps == held else self.times(x, steps / held)
        return self.clipped(self.rounded(x), -INPUT_LIMIT, INPUT_LIMIT)

    def exact_conv(self, name: str, x: str, *, relu: bool = False, by: float = 1) -> str:
        """Append the exact convolution `name`, see `networks.exact`, of inputs in whole steps of its grid.

        `by`, a power of two, is what the outputs are times.
        """
        steps = np.float32(self.steps_of(name))
        weight, bias = whole(self.array(f"{name}.weight"), self.array(f"{name}.bias"), float(steps))
        return self._conv(x, weight * (np.float32(by) / steps), bias * np.float32(by), relu=relu)

    def doubled(self, x: str, unshuffle: int) -> str:
        """Bicubic by 2 of whole numbers from -128 to 127, exactly: before its pixels are shuffled by 2 `unshuffle`."""
        weight = doubling(unshuffle)
        edge = unshuffle * (weight.shape[2] // 2)
        edged = self.add("Padding", x, parameters=dict(dict.fromkeys(range(4), edge) | {4: REPLICATE}))
        return self._conv(self.unshuffled(edged, unshuffle), weight, np.zeros(len(weight), np.float32), padding=0)

    def sum_of(self, a: str, b: str) -> str:
        return self.add("BinaryOp", a, b, parameters={0: ADD})

    def product_of(self, a: str, b: str) -> str:
        return self.add("BinaryOp", a, b, parameters={0: MULTIPLY})

    def less(self, x: str, number: float) -> str:
        return self.add("BinaryOp", x, parameters={0: SUBTRACT, 1: 1, 2: number})

    def times(self, x: str, number: float) -> str:
        return self.add("BinaryOp", x, parameters={0: MULTIPLY, 1: 1, 2: number})

    def rounded(self, x: str) -> str:
        return self.add("UnaryOp", x, parameters={0: ROUND})

    def clipped(self, x: str, low: float, high: float) -> str:
        return self.add("Clip", x, parameters={0: float(low), 1: float(high)})

    def unshuffled(self, x: str, by: int) -> str:
        return x if by == 1 else self.add("Reorg", x, parameters={0: by})

    def shuffled(self, x: str, by: int) -> str:
        return x if by == 1 else self.add("PixelShuffle", x, parameters={0: by})

    def enlarged(self, x: str, by: int) -> str:
        """Bicubic (a = -0.75), half-pixel centres, edges replicated."""
        return x if by == 1 else self.add("Interp", x, parameters={0: BICUBIC, 1: float(by), 2: float(by)})

    @property
    def width(self) -> int:
        """Outputs of the widest 3x3 convolution but the last one."""
        convolutions = [layer.weight for layer in self.layers if layer.weight is not None]
        return max((len(weight) for weight in convolutions[:-1] if weight.shape[2] == 3), default=0)

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
