"""The nets through ncnn, whose Winograd convolutions need 4 to 2.25 times fewer products than direct ones.

Lavin and Gray 2015, "Fast Algorithms for Convolutional Neural Networks", arXiv 1509.09308: F(4x4, 3x3). In float32 it
differs from direct convolution by about 1e-6 of the range. ncnn ships it hand-written for AVX2, AVX-512 and NEON; torch
has none on CPUs. Torch is not loaded: graphs are made of a model file's numbers.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import ncnn
import numpy as np
from numpy.typing import NDArray

from batchcomp.codec.engines import reference
from batchcomp.codec.engines.base import Planes, Tiles, to_planes, to_tile
from batchcomp.codec.engines.graph import Graph
from batchcomp.codec.engines.graphs import BUILDERS, WINOGRAD_FROM, GraphPlan
from batchcomp.codec.model import Net
from batchcomp.codec.resample_numpy import reduced
from batchcomp.codec.whole_numbers import PIXEL_MIDDLE
from batchcomp.memory import give_back_now

Answer = TypeVar("Answer")
TOLERANCE = 1e-4  # of [0, 1]: beyond it ncnn does not compute the graph; a 40th of an 8-bit step
CHECKED = 1.5  # log2 of the coarseness at which it is checked
CHECKED_UNITS = 4, 6  # sides of the tile
TIMED, TIMED_UNITS = 3, (8, 12)  # runs of each kind of kernels, and the sides of their tile
CLEARLY = 0.9  # of the time of the usual kernels: what takes less is faster


class LoadedGraph:
    """A graph that ncnn has prepared: its weights in their Winograd form. Any number of threads may run it.

    An exact one keeps to direct convolutions in float32: Winograd's products are others, and need not be exact. Those
    of 8 bits are whole numbers by `winograd` too, which processors without products for 8 bits compute twice as fast.
    """

    def __init__(self, graph: Graph, *, exact: bool = False, winograd: bool = False) -> None:
        self._net: Any = ncnn.Net()
        option = self._net.opt
        option.num_threads = 1
        option.openmp_blocktime = 0  # nothing waits by spinning
        option.use_vulkan_compute = False
        for name in dir(option):  # float32 throughout: what the machine offers beyond must not change results
            if name.startswith(("use_fp16", "use_bf16", "use_int8")):
                setattr(option, name, False)
        option.use_int8_inference = exact  # for the convolutions that are written in 8 bits
        self.direct = exact or graph.width < WINOGRAD_FROM
        if self.direct:
            option.use_winograd_convolution = winograd
            option.use_sgemm_convolution = exact  # faster in 8 bits, slower in float32
        self._net.opt = option
        self._last = graph.last
        with tempfile.TemporaryDirectory(prefix="batchcomp-") as folder:  # its Python binding reads weights from files
            weights = Path(folder, "weights.bin")
            weights.write_bytes(graph.weights)
            if self._net.load_param_mem(graph.text()) or self._net.load_model(str(weights)):
                raise ValueError("ncnn refuses the graph")
        self._inputs = [f"b{number}" for number, layer in enumerate(graph.layers) if layer.kind == "Input"]

    def __call__(self, inputs: Sequence[Planes], take: Callable[[Planes], Answer]) -> Answer:
        """What `take` makes of the last output, float32 (C', h, w), which is gone afterwards.

        Args:
            inputs: float32, contiguous (C, h, w).
            take: makes of it what is to stay: `np.array` a copy.
        """
        pool = _pools.taken(id(self), [one.shape for one in inputs])
        try:
            answer = self._run(inputs, pool, take)
        except BaseException:
            pool.clear()
            raise
        _pools.put_back(pool)
        return answer

    def _run(self, inputs: Sequence[Planes], pool: _Pool, take: Callable[[Planes], Answer]) -> Answer:
        run = self._net.create_extractor()
        run.set_blob_allocator(pool.blobs)
        run.set_workspace_allocator(pool.workspace)
        arrays = [np.ascontiguousarray(one) for one in inputs]  # ncnn reads them in place: they must outlive the run
        for name, array in zip(self._inputs, arrays, strict=True):
            run.input(name, ncnn.Mat(array).clone())
        code, found = run.extract(self._last)
        if code:
            raise MemoryError(f"ncnn could not run a tile of {arrays[0].shape} (code {code})")
        return take(np.asarray(found))


Use = tuple[int, list[tuple[int, ...]]]  # a graph, and the shapes of its inputs


class _Pool:
    """The memory of one run after the other."""

    def __init__(self) -> None:
        self.blobs, self.workspace = ncnn.UnlockedPoolAllocator(), ncnn.UnlockedPoolAllocator()
        self.used_for: Use | None = None

    def clear(self) -> None:
        """Give everything back."""
        self.blobs.clear()
        self.workspace.clear()


class _Pools:
    """The memory of all runs: one pool for each that is under way, kept from one tile to the next of the same sides.

    ncnn's own pool of a graph keeps whatever any thread ever needed, in pieces that later runs use badly: half a
    gigabyte for two threads. Memory that is given back after each tile, on the other hand, is filled with zeros by the
    system for the next: a tenth to a fifth of the time.
    """

    def __init__(self) -> None:
        self._idle: list[_Pool] = []
        self._lock = threading.Lock()

    def taken(self, graph: int, shapes: list[tuple[int, ...]]) -> _Pool:
        """A pool that last served the same graph with inputs of the same shapes; else one that is empty."""
        use = graph, shapes
        with self._lock:
            pool = next((one for one in self._idle if one.used_for == use), None)
            pool = pool or (self._idle[0] if self._idle else _Pool())
            if pool in self._idle:
                self._idle.remove(pool)
        if pool.used_for != use:
            pool.clear()
            pool.used_for = use
        return pool

    def put_back(self, pool: _Pool) -> None:
        """Keep a pool for the next run."""
        with self._lock:
            self._idle.append(pool)

    def clear(self) -> None:
        """Give the memory of all pools back that serve no run just now."""
        with self._lock:
            idle, self._idle = self._idle, []
        for pool in idle:
            pool.clear()


_pools = _Pools()


class Ncnn:
    """A network whose graph ncnn computes; ComCNN's smaller picture is added by numpy."""

    parallel = True

    def __init__(self, plan: GraphPlan, *, winograd: bool = False) -> None:
        """Load the graph; of an exact one, convolutions of 8 bits by `winograd`.

        Raises:
            ValueError: ncnn refuses it.
        """
        self._plan, self._graph = plan, LoadedGraph(plan.graph, exact=plan.exact, winograd=winograd)

    @property
    def name(self) -> str:
        if self._plan.exact:
            return "ncnn, exact"
        return f"ncnn, {'direct' if self._graph.direct else 'Winograd'}"

    @staticmethod
    def begin_thread() -> None:
        """Nothing: ncnn itself runs on the thread that calls it."""

    @staticmethod
    def rest() -> None:
        """Give back what was kept for further tiles: a quarter of a gigabyte a thread."""
        _pools.clear()
        give_back_now()

    def start(self, tiles: Tiles, log_coarsenesses: Sequence[float]) -> Tiles:
        compute = self._whole if self._plan.exact else self._rounded
        answers = [compute(*one) for one in zip(tiles, log_coarsenesses, strict=True)]
        return np.stack(answers) if len(answers) > 1 else answers[0][None]

    def finish(self, begun: Tiles) -> Tiles:
        return begun

    def _rounded(self, tile: NDArray[np.uint8], log_coarseness: float) -> NDArray[np.uint8]:
        return self._computed(to_planes(tile), log_coarseness, to_tile)

    def _whole(self, tile: NDArray[np.uint8], log_coarseness: float) -> NDArray[np.uint8]:
        """(H, W, 3) to (H', W', 3), both uint8, by a graph of whole numbers."""
        picture = np.ascontiguousarray(tile.transpose(2, 0, 1), np.float32)
        return self._graph([picture, *self._plan.inputs(tile.shape[:2], log_coarseness)], _whole_pixels)

    def planes(self, tile: NDArray[np.uint8], log_coarseness: float) -> Planes:
        """(H, W, 3) uint8 to the network's (3, H', W'), not clamped."""
        return self._computed(to_planes(tile), log_coarseness, np.array)

    def _computed(self, picture: Planes, log_coarseness: float, take: Callable[[Planes], Answer]) -> Answer:
        def whole(found: Planes) -> Answer:
            if self._plan.halving:
                found += reduced(picture, self._plan.halving)
            return take(found)

        return self._graph([picture, *self._plan.inputs(picture.shape[1:], log_coarseness)], whole)

    def is_right(self) -> bool:
        """Whether ncnn computes the graph as numpy does, on noise: its kernels differ from processor to processor."""
        inputs = self._noise(CHECKED_UNITS)
        error = np.abs(self._graph(inputs, np.array) - reference.run(self._plan.graph, inputs)).max()
        return float(error) <= (0 if self._plan.exact else TOLERANCE)

    def _noise(self, units: tuple[int, int]) -> list[Planes]:
        height, width = (side * self._plan.unit for side in units)
        picture = np.random.default_rng(0).random((3, height, width), dtype=np.float32)
        if self._plan.exact:
            picture = np.floor(256 * picture)
        return [picture, *self._plan.inputs((height, width), CHECKED)]

    def seconds(self) -> float:
        """What a run over noise takes."""
        inputs = self._noise(TIMED_UNITS)
        start = time.perf_counter()
        self._graph(inputs, np.array)
        return time.perf_counter() - start


def _whole_pixels(found: Planes) -> NDArray[np.uint8]:
    """(3, H, W) of whole numbers from -128 to 127 to uint8 (H, W, 3)."""
    pixels = np.empty((*found.shape[1:], found.shape[0]), np.uint8)
    return np.add(found.transpose(1, 2, 0), np.float32(PIXEL_MIDDLE), out=pixels, casting="unsafe")


def ncnn_for(net: Net) -> Ncnn | None:
    """The engine of a network on the CPU; None where it has no graph or ncnn computes anything else.

    An exact network has the kernels that are faster on this processor: the pixels are the same.
    """
    build = BUILDERS.get(net.model.family)
    if build is None:
        return None
    try:
        plan = build(net)
        engines = _by_speed(Ncnn(plan), Ncnn(plan, winograd=True)) if plan.exact else [Ncnn(plan)]
        return next((engine for engine in engines if engine.is_right()), None)
    except (ValueError, RuntimeError, MemoryError):
        return None


def _by_speed(usual: Ncnn, other: Ncnn) -> list[Ncnn]:
    """The other one first where it clearly is faster; they run in turns, so that a busy machine slows both."""
    times = [(usual.seconds(), other.seconds()) for _ in range(TIMED)]
    least, of_other = (min(column) for column in zip(*times, strict=True))
    return [other, usual] if of_other < CLEARLY * least else [usual, other]
