"""The nets through ncnn, whose Winograd convolutions need 4 to 2.25 times fewer products than direct ones.

Lavin and Gray 2015, "Fast Algorithms for Convolutional Neural Networks", arXiv 1509.09308: F(4x4, 3x3). In float32 it
differs from direct convolution by about 1e-6 of the range. ncnn ships it hand-written for AVX2, AVX-512 and NEON; torch
has none on CPUs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ncnn
import numpy as np
import torch
from torch import Tensor, nn

from batchcomp.codec.engines.base import Tiles, to_bytes, to_floats
from batchcomp.codec.engines.graph import Graph
from batchcomp.codec.engines.graphs import BUILDERS, GraphPlan

TOLERANCE = 1e-4  # of [0, 1]: beyond it the graph is not the network; a 40th of an 8-bit step
CHECKED = (0.0, 3.0)  # log2 of the coarsenesses at which graph and network are compared


class LoadedGraph:
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


class Ncnn:
    """A network whose graph ncnn computes; what the graph leaves out stays with torch."""

    name = "ncnn, Winograd"
    parallel = True

    def __init__(self, plan: GraphPlan) -> None:
        """Load the graph.

        Raises:
            ValueError: ncnn refuses it.
        """
        self._plan, self._graph = plan, LoadedGraph(plan.graph)

    def start(self, tiles: Tiles, log_coarsenesses: Sequence[float]) -> Tiles:
        with torch.inference_mode():
            answers = [
                to_bytes(self.floats(torch.from_numpy(tile[None]), log_coarseness))
                for tile, log_coarseness in zip(tiles, log_coarsenesses, strict=True)
            ]
        return np.concatenate([answer.numpy() for answer in answers]) if len(answers) > 1 else answers[0].numpy()

    def finish(self, begun: Tiles) -> Tiles:
        return begun

    def floats(self, tile: Tensor, log_coarseness: float) -> Tensor:
        """(1, H, W, 3) uint8 to the network's (1, 3, H', W')."""
        return self._plan.apply(self._graph, to_floats(tile), log_coarseness)

    @torch.inference_mode()
    def agrees_with(self, net: nn.Module) -> bool:
        """Whether the graph computes what the network does, on noise at two coarsenesses."""
        size = 12 * self._plan.unit, 16 * self._plan.unit
        tile = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, *size, 3), dtype=np.uint8))
        return all(
            float(
                (self.floats(tile, log_coarseness) - net(to_floats(tile), torch.tensor([log_coarseness]))).abs().max()
            )
            <= TOLERANCE
            for log_coarseness in CHECKED
        )


def ncnn_for(net: nn.Module) -> Ncnn | None:
    """The engine of a network on the CPU; None where it has no graph or ncnn computes anything else."""
    build = BUILDERS.get(type(net))
    if build is None:
        return None
    try:
        engine = Ncnn(build(net))
        return engine if engine.agrees_with(net) else None
    except (ValueError, RuntimeError, MemoryError):
        return None
