"""ncnn's text format for networks: https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from batchcomp.codec.whole_numbers import BYTES, WIDE, Limits, doubling, weight_steps, whole

_MAGIC = 7767517  # first line of ncnn's text format
_FLOAT32 = b"\0\0\0\0"  # precedes weights that are stored as they are
_INT8 = 0x000D4B38.to_bytes(4, "little")  # and those in whole steps of 8 bits
_INT8_WEIGHTS, _FEATURES_OFF = 8, 31  # parameters of a convolution
_SGEMM, _WINOGRAD = 1 << 5, 1 << 6  # of the features: convolution as a product of matrices, and of fewer products
ADD, SUBTRACT, MULTIPLY = 0, 1, 2  # operations of `BinaryOp`
ROUND: Final = 18  # of `UnaryOp`: to the nearest, ties to even
REPLICATE: Final = 1  # kind of `Padding`
BICUBIC: Final = 3  # kind of `Interp`

Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One line: a kind, the names of its inputs and its parameters by ncnn's numbers; its output is named by its place.

    A convolution brings its weights (out, in, k, k) and biases (out,). One of 8 bits has weights in whole steps and
    `steps` (out + 1,): how many of them make a weight of 1, for each output channel, and what inputs are times before
    they are rounded to whole numbers from -127 to 127.
    """

    kind: str
    inputs: tuple[str, ...]
    parameters: dict[int, float]
    weight: Array | None = None
    bias: Array | None = None
    steps: Array | None = None

    @property
    def stored(self) -> bytes:
        """What the file of weights holds of it."""
        if self.weight is None or self.bias is None:
            return b""
        bias = self.bias.astype("<f4").tobytes()
        if self.steps is None:
            return _FLOAT32 + self.weight.astype("<f4").tobytes() + bias
        whole = self.weight.astype(np.int8).tobytes()
        return _INT8 + whole + bytes(-len(whole) % 4) + bias + self.steps.astype("<f4").tobytes()

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
        """Append a convolution; `further`: stride, padding, whether a ReLU follows, whether it must be direct."""
        size = weight.shape[2]
        edge, stride = further.get("padding", size // 2), further.get("stride", 1)
        parameters = {0: len(weight), 1: size, 3: stride, 4: edge, 5: 1, 6: weight.size, 9: int(further.get("relu", 0))}
        if further.get("direct"):
            parameters |= {_FEATURES_OFF: _SGEMM | _WINOGRAD}
        self.layers.append(
            Layer(kind="Convolution", inputs=(x,), parameters=dict(parameters), weight=weight, bias=bias)
        )
        return self.last

    def steps_of(self, name: str) -> float:
        """Steps in 1 of the grid that the exact convolution `name` rounds its inputs to, a power of two."""
        return 2.0 ** round(float(self.array(f"{name}.grid.exponent")))

    def parts_of(self, name: str, limits: Limits) -> float:
        """How many parts of 1 the outputs of the exact convolution `name` are multiples of."""
        weight, bias, steps = self.array(f"{name}.weight"), self.array(f"{name}.bias"), self.steps_of(name)
        return steps * float(weight_steps(weight, bias, steps, limits).max())

    def wide_conv(self, name: str, x: str, *, by: float) -> str:
        """Append the exact convolution `name`, see `networks.exact`, in float32, of whole steps of its grid.

        `by`, a power of two, is what the outputs are times.
        """
        steps = self.steps_of(name)
        weight, bias = whole(self.array(f"{name}.weight"), self.array(f"{name}.bias"), steps, WIDE)
        return self._conv(x, weight * np.float32(by / steps), bias * np.float32(by), direct=True)

    def byte_conv(self, name: str, x: str, *, held: float = 1, by: float = 1, relu: bool = False) -> str:
        """Append the exact convolution `name` of 8 bits.

        `held` and `by`, powers of two, are what its inputs and outputs are times.
        """
        steps = self.steps_of(name)
        given = self.array(f"{name}.weight"), self.array(f"{name}.bias"), steps, BYTES
        (weight, bias), of_weights = whole(*given), weight_steps(*given)
        size = weight.shape[2]
        parameters = {0: len(weight), 1: size, 4: size // 2, 5: 1, 6: weight.size, _INT8_WEIGHTS: 1, 9: int(relu)}
        self.layers.append(
            Layer(
                kind="Convolution",
                inputs=(x,),
                parameters=dict(parameters),
                weight=(weight * of_weights.reshape(-1, 1, 1, 1)).astype(np.float32),
                bias=bias * np.float32(by),
                steps=np.append(of_weights * (held / by), steps / held).astype(np.float32),
            )
        )
        return self.last

    def doubled(self, x: str, unshuffle: int) -> str:
        """Bicubic by 2 of whole numbers from -128 to 127, exactly: before its pixels are shuffled by 2 `unshuffle`."""
        weight = doubling(unshuffle)
        edge = unshuffle * (weight.shape[2] // 2)
        edged = self.add("Padding", x, parameters=dict(dict.fromkeys(range(4), edge) | {4: REPLICATE}))
        return self._conv(
            self.unshuffled(edged, unshuffle), weight, np.zeros(len(weight), np.float32), padding=0, direct=True
        )

    def sum_of(self, a: str, b: str) -> str:
        return self.add("BinaryOp", a, b, parameters={0: ADD})

    def product_of(self, a: str, b: str) -> str:
        return self.add("BinaryOp", a, b, parameters={0: MULTIPLY})

    def less(self, x: str, number: float) -> str:
        return self.add("BinaryOp", x, parameters={0: SUBTRACT, 1: 1, 2: number})

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
        return b"".join(layer.stored for layer in self.layers)

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
