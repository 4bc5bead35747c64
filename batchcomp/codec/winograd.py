"""The nets through ncnn, whose Winograd convolutions need 4 to 2.25 times fewer products than direct ones.

Lavin and Gray 2015, "Fast Algorithms for Convolutional Neural Networks", arXiv 1509.09308: F(4x4, 3x3). In float32 it
differs from direct convolution by about 1e-6 of the range. ncnn ships it hand-written for AVX2, AVX-512 and NEON; torch
has none on CPUs.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import ncnn
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name every torch reader expects)

from batchcomp.codec.engines import Tiles, to_bytes, to_floats
from batchcomp.codec.networks import ComCNN, FoldedTrunk, RecCNN, ResidualBlock, downscale
from batchcomp.codec.resample import upscale

TOLERANCE = 1e-4  # of [0, 1]: beyond it the graph is not the network; a 40th of an 8-bit step
CHECK_STEPS = (0.0, 3.0)  # log2 of the steps at which graph and network are compared
_MAGIC = 7767517  # first line of ncnn's text format
_FLOAT32 = b"\0\0\0\0"  # precedes weights that are stored as they are


@dataclass
class Graph:
    """ncnn's text format in the making: one line a layer, and the weights in the lines' order."""

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


def _block(graph: Graph, block: ResidualBlock, x: str, gain: str | None) -> str:
    hidden = graph.conv(block.first, x, relu=True)
    return graph.sum_of(x, graph.conv(block.second, hidden if gain is None else graph.product_of(hidden, gain)))


def trunk_graph(trunk: FoldedTrunk) -> Graph:
    """The trunk between its two foldings.

    Its inputs, b0 and on, are the planes (C, h, w) that the head sees and, where the trunk has gains, those of each
    block (channels, 1, 1); its last output is (3 fold_out^2, h, w).
    """
    graph = Graph()
    planes = graph.add("Input", [])
    gains = [graph.add("Input", []) if trunk.gains is not None else None for _ in trunk.widths]
    head = h = graph.conv(trunk.head, planes)
    split = (len(trunk.body) + 1) // 2
    for number, block in enumerate(trunk.body):
        h = _block(graph, block, h, gains[number])  # type: ignore[arg-type]
        if trunk.middle is not None and number + 1 == split:
            low = graph.conv(trunk.middle.down, graph.add("Reorg", [h], "0=2"))
            for inner, gain in zip(trunk.middle.body, gains[len(trunk.body) :], strict=True):
                low = _block(graph, inner, low, gain)  # type: ignore[arg-type]
            h = graph.sum_of(h, graph.add("PixelShuffle", [graph.conv(trunk.middle.up, low)], "0=2"))
    graph.conv(trunk.tail, graph.sum_of(head, h))
    return graph


def _gains(trunk: FoldedTrunk, log_step: float) -> list[Tensor]:
    """The inputs of the graph after the planes."""
    if trunk.gains is None:
        return []
    return [g.view(-1, 1, 1) for g in trunk.gains(torch.tensor([log_step])).flatten().split(trunk.widths)]


class Loaded:
    """A graph that ncnn has prepared: its weights in their Winograd form. Any number of threads may run it."""

    def __init__(self, graph: Graph) -> None:
        self._net: Any = ncnn.Net()
        option = self._net.opt
        option.num_threads = 1
        option.use_vulkan_compute = False
        for name in dir(option):  # float32 throughout: what the machine offers beyond must not change results
            if name.startswith(("use_fp16", "use_bf16", "use_int8")):
                setattr(option, name, False)
        self._net.opt = option
        self._last = f"b{len(graph.lines) - 1}"
        with tempfile.TemporaryDirectory(prefix="batchcomp-") as folder:  # its Python binding reads weights from files
            weights = Path(folder, "weights.bin")
            weights.write_bytes(b"".join(graph.weights))
            if self._net.load_param_mem(graph.text()) or self._net.load_model(str(weights)):
                raise ValueError("ncnn refuses the graph")

    def __call__(self, inputs: Sequence[Tensor]) -> Tensor:
        """Float32, contiguous (C, h, w) inputs to the last output, (C', h, w).

        Each run has pools of memory of its own. ncnn's pool of a graph keeps whatever any thread ever needed, in
        pieces that later runs use badly: half a gigabyte for two threads.
        """
        pools = ncnn.UnlockedPoolAllocator(), ncnn.UnlockedPoolAllocator()
        try:
            return self._run(inputs, *pools)
        finally:
            for pool in pools:
                pool.clear()

    def _run(self, inputs: Sequence[Tensor], blobs: Any, workspace: Any) -> Tensor:
        """What is in the pools is gone from here on return, whatever the outcome."""
        run = self._net.create_extractor()
        run.set_blob_allocator(blobs)
        run.set_workspace_allocator(workspace)
        arrays = [one.contiguous().numpy() for one in inputs]  # ncnn reads them in place: they must outlive the run
        for number, array in enumerate(arrays):
            run.input(f"b{number}", ncnn.Mat(array))
        code, found = run.extract(self._last)
        answer = None if code else torch.from_numpy(np.array(found))
        del found, run
        if answer is None:
            raise MemoryError(f"ncnn could not run a tile of {arrays[0].shape} (code {code})")
        return answer


class Winograd:
    """A ComCNN or RecCNN whose trunk ncnn computes; folding and the bicubic base stay with torch."""

    name = "ncnn, Winograd"
    parallel = True

    def __init__(self, net: ComCNN | RecCNN) -> None:
        self._net = net
        self._resample = downscale if isinstance(net, ComCNN) else upscale
        self._graph = Loaded(trunk_graph(net.trunk))

    @classmethod
    def of(cls, net: nn.Module) -> Self | None:
        """The engine of a network on the CPU; None where it is of another kind or ncnn computes anything else."""
        if not (isinstance(net, ComCNN | RecCNN) and isinstance(net.trunk, FoldedTrunk)):
            return None
        try:
            engine = cls(net)
            return engine if engine._agrees() else None
        except (ValueError, RuntimeError, MemoryError):
            return None

    def start(self, tiles: Tiles, log_steps: Sequence[float]) -> Tiles:
        with torch.inference_mode():
            answers = [
                to_bytes(self._floats(torch.from_numpy(tile[None]), step))
                for tile, step in zip(tiles, log_steps, strict=True)
            ]
        return np.concatenate([answer.numpy() for answer in answers]) if len(answers) > 1 else answers[0].numpy()

    def finish(self, begun: Tiles) -> Tiles:
        return begun

    def _floats(self, tile: Tensor, log_step: float) -> Tensor:
        """(1, H, W, 3) uint8 to the network's (1, 3, H', W')."""
        x, trunk = to_floats(tile), self._net.trunk
        planes = trunk.planes(x, torch.tensor([log_step]))[0]
        residual = self._graph([planes, *_gains(trunk, log_step)])[None]
        return F.pixel_shuffle(residual, trunk.fold_out).add_(self._resample(x, self._net.scale))

    @torch.inference_mode()
    def _agrees(self) -> bool:
        """Whether the graph computes what the network does, on noise at two coarsenesses."""
        trunk, random = self._net.trunk, np.random.default_rng(0)
        rows, columns = 12 * trunk.fold_in, 16 * trunk.fold_in
        tile = torch.from_numpy(random.integers(0, 256, (1, rows, columns, 3), dtype=np.uint8))
        differences = [
            self._floats(tile, step) - self._net(to_floats(tile), torch.tensor([step])) for step in CHECK_STEPS
        ]
        return all(float(difference.abs().max()) <= TOLERANCE for difference in differences)
