"""What runs a network on one batch of equal tiles: torch on any device, or ncnn's Winograd kernels on the CPU.

An engine maps uint8 tiles to uint8 tiles. Engines for the CPU take one tile at a time, on one core each: `tiles.Runner`
gives every core its own, which on two cores is 5 to 25 % faster than torch's threads inside each convolution and makes
the answer independent of their number. An engine for another device takes batches.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Tiles = NDArray[np.uint8]  # (B, H, W, 3)

PROBE = 64  # pixels a side of the picture that networks are tried on: a multiple of every unit
HALF_MAX, HALF_MEAN = 1, 0.02  # steps of 8 bits that float16 may differ from float32: at most, and on average


class Engine(Protocol):
    """Runs one network."""

    @property
    def name(self) -> str:
        """What it is, for `doctor` and benchmarks."""
        ...

    @property
    def parallel(self) -> bool:
        """Whether several threads may call it at once, with one tile each."""
        ...

    def start(self, tiles: Tiles, log_steps: Sequence[float]) -> Any:
        """Begin with uint8 tiles (B, H, W, 3) and one log2(step) each; a device may still be at work on return."""
        ...

    def finish(self, begun: Any) -> Tiles:
        """Wait for what `start` returned: uint8 (B, H', W', 3)."""
        ...


def to_floats(tiles: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """(B, H, W, 3) uint8 to (B, 3, H, W) in [0, 1]; its memory is channels_last, as convolutions want it."""
    return tiles.permute(0, 3, 1, 2).to(dtype).div_(255)


def to_bytes(pixels: Tensor) -> Tensor:
    """(B, 3, H, W) around [0, 1], changed in place, to contiguous uint8 (B, H, W, 3)."""
    return pixels.clamp_(0, 1).mul_(255).round_().to(torch.uint8).permute(0, 2, 3, 1).contiguous()


class TorchCpu:
    """torch, one tile on one thread."""

    name = "torch"
    parallel = True

    def __init__(self, net: nn.Module) -> None:
        self._net = net

    @torch.inference_mode()
    def start(self, tiles: Tiles, log_steps: Sequence[float]) -> Tiles:
        answer: Tiles = to_bytes(self._net(to_floats(torch.from_numpy(tiles)), torch.tensor(log_steps))).numpy()
        return answer

    def finish(self, begun: Tiles) -> Tiles:
        return begun


class TorchDevice:
    """torch on a GPU: copies from and to pinned memory beside the computing, float16 where its pixels are as good.

    The first batch is computed in both precisions; float16 is kept if no pixel differs by more than one step and
    hardly any by one.
    """

    parallel = False

    def __init__(self, net: nn.Module, device: torch.device, *, half: bool = True) -> None:
        self._net, self._device = net, device
        self._pinned = device.type == "cuda"
        self._half: bool | None = None if half and device.type == "cuda" else False

    @property
    def name(self) -> str:
        return f"torch on {self._device}{', float16' if self._half else ''}"

    @torch.inference_mode()
    def start(self, tiles: Tiles, log_steps: Sequence[float]) -> tuple[Tensor, Any]:
        host = torch.from_numpy(tiles)
        x = (host.pin_memory() if self._pinned else host).to(self._device, non_blocking=True)
        steps = torch.tensor(log_steps, dtype=torch.float32).to(self._device)
        answer = self._compute(x, steps)
        if not self._pinned:
            return answer.cpu(), None
        back = torch.empty(answer.shape, dtype=torch.uint8, pin_memory=True)
        back.copy_(answer, non_blocking=True)
        done = torch.cuda.Event()  # type: ignore[no-untyped-call]
        done.record()
        return back, done

    def finish(self, begun: tuple[Tensor, Any]) -> Tiles:
        back, done = begun
        if done is not None:
            done.synchronize()
        answer: Tiles = back.numpy()
        return answer

    def _compute(self, x: Tensor, steps: Tensor) -> Tensor:
        if self._half is None:
            exact = self._run(x, steps, half=False)
            self._half = nearly_equal(self._run(x, steps, half=True), exact)
            return self._run(x, steps, half=True) if self._half else exact
        return self._run(x, steps, half=self._half)

    def _run(self, x: Tensor, steps: Tensor, *, half: bool) -> Tensor:
        with torch.autocast(self._device.type, torch.float16, enabled=half):
            answer = self._net(to_floats(x), steps)
        return to_bytes(answer.float())


def nearly_equal(found: Tensor, exact: Tensor) -> bool:
    """Whether uint8 pixels computed in lower precision are as good as the exact ones."""
    difference = (found.int() - exact.int()).abs()
    return int(difference.max()) <= HALF_MAX and float(difference.float().mean()) <= HALF_MEAN


class Cache:
    """The engines of networks on one device, each built when it is first asked for, and once.

    It travels to other processes empty: they build their own.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._known: dict[int, tuple[nn.Module, Engine]] = {}  # by id; the network is kept, so that ids stay unique
        self._bytes: dict[int, float] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Cache], tuple[torch.device]]:
        return Cache, (self._device,)

    def bytes_per_pixel(self, net: nn.Module) -> float:
        """Bytes of the largest output of a convolution of a network, for each of its input pixels."""
        with self._lock:
            if id(net) not in self._bytes:
                self._bytes[id(net)] = largest_output(net, self._device)
            return self._bytes[id(net)]

    def of(self, net: nn.Module) -> Engine:
        """Return the engine of a network that is on the device already."""
        with self._lock:
            if id(net) not in self._known:
                self._known[id(net)] = net, choose(net, self._device)
            return self._known[id(net)][1]


def largest_output(net: nn.Module, device: torch.device) -> float:
    """Bytes for each input pixel, in float32, of the largest output of a convolution."""
    found = [3 * 4.0]

    def note(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        found.append(output.numel() * 4 / PROBE**2)

    hooks = [module.register_forward_hook(note) for module in net.modules() if isinstance(module, nn.Conv2d)]
    try:
        with torch.inference_mode():
            net(torch.zeros(1, 3, PROBE, PROBE, device=device), torch.zeros(1, device=device))
    finally:
        for hook in hooks:
            hook.remove()
    return max(found)


def choose(net: nn.Module, device: torch.device) -> Engine:
    """The fastest engine for a network that is on `device` and whose results pass the engine's own check."""
    if device.type != "cpu":
        return TorchDevice(net, device)
    if importlib.util.find_spec("ncnn") is not None:
        # these need the extra `fast`
        from batchcomp.codec.winograd import Winograd  # noqa: PLC0415
        from batchcomp.codec.winograd_classic import ClassicWinograd  # noqa: PLC0415

        for kind in (Winograd, ClassicWinograd):
            engine = kind.of(net)
            if engine is not None:
                return engine
    return TorchCpu(net)
