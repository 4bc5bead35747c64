"""ncnn's text format for networks: https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor, nn

_MAGIC = 7767517  # first line of ncnn's text format
_FLOAT32 = b"\0\0\0\0"  # precedes weights that are stored as they are


@dataclass
class Graph:
    """A graph being written: one line a layer, and the weights in the lines' order."""

    lines: list[tuple[str, list[str], str]] = field(default_factory=list)  # kind, inputs, parameters; output = index
    weights: list[bytes] = field(default_factory=list)

    def add(self, kind: str, inputs: Sequence[str], parameters: str = "") -> str:
        """Append a layer and return the name of its output."""
        self.lines.append((kind, list(inputs), parameters))
        return f"b{len(self.lines) - 1}"

    def conv(self, conv: nn.Conv2d, x: str, *, relu: bool = False) -> str:
        """Append a convolution of stride 1."""
        self.weights += [_FLOAT32, _raw(conv.weight)] + ([] if conv.bias is None else [_raw(conv.bias)])
        size, padding = conv.kernel_size[0], int(conv.padding[0])
        return self.add(
            "Convolution",
            [x],
            f"0={conv.out_channels} 1={size} 4={padding} 5={int(conv.bias is not None)} 6={conv.weight.numel()} "
            f"9={int(relu)}",
        )

    def sum_of(self, a: str, b: str) -> str:
        return self.add("BinaryOp", [a, b], "0=0")

    def product_of(self, a: str, b: str) -> str:
        return self.add("BinaryOp", [a, b], "0=2")

    def text(self) -> str:
        """The whole graph; an output that several layers read passes through a Split first, as ncnn demands."""
        uses = Counter(name for _, inputs, _ in self.lines for name in inputs)
        taken: Counter[str] = Counter()
        lines = []
        for number, (kind, inputs, parameters) in enumerate(self.lines):
            name, given = f"b{number}", []
            for one in inputs:
                given.append(f"{one}_{taken[one]}" if uses[one] > 1 else one)
                taken[one] += 1
            lines.append(" ".join(f"{kind} l{number} {len(given)} 1 {' '.join(given)} {name} {parameters}".split()))
            if uses[name] > 1:
                copies = " ".join(f"{name}_{i}" for i in range(uses[name]))
                lines.append(f"Split s{number} 1 {uses[name]} {name} {copies}")
        blobs = sum(int(line.split()[3]) for line in lines)
        return "\n".join([str(_MAGIC), f"{len(lines)} {blobs}", *lines, ""])


def _raw(values: Tensor) -> bytes:
    return values.detach().cpu().float().contiguous().numpy().astype("<f4").tobytes()
