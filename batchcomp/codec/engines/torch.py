"""Networks through torch: on the CPU, or on another device in batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from batchcomp.codec.engines.base import DeviceMemoryError, Tiles
from batchcomp.codec.networks.residual import RecCNN

HALF_MAX, HALF_MEAN = 1, 0.02  # steps of 8 bits that float16 may differ from float32: at most, and on average


def to_floats(tiles: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """(B, H, W, 3) uint8 to (B, 3, H, W) in [0, 1]; its memory is channels_last, as convolutions want it."""
    return tiles.permute(0, 3, 1, 2).to(dtype).div_(255)


def to_bytes(pixels: Tensor) -> Tensor:
    """(B, 3, H, W) around [0, 1], changed in place, to contiguous uint8 (B, H, W, 3)."""
    return pixels.clamp_(0, 1).mul_(255).round_().to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def is_exact(net: nn.Module) -> bool:
    """Whether a network computes in whole numbers."""
    return isinstance(net, RecCNN) and net.trunk.exact


def computed(net: nn.Module, tiles: Tensor, log_coarsenesses: Tensor) -> Tensor:
    """What a network makes of uint8 tiles (B, H, W, 3), uint8 (B, H', W', 3)."""
    if isinstance(net, RecCNN) and net.trunk.exact:
        pixels = net.pixels(tiles.permute(0, 3, 1, 2).float(), log_coarsenesses)
        return pixels.to(torch.uint8).permute(0, 2, 3, 1).contiguous()
    return to_bytes(net(to_floats(tiles), log_coarsenesses))


class TorchCpu:
    """torch, one tile on one thread."""

    parallel = True

    def __init__(self, net: nn.Module) -> None:
        self._net = net

    @property
    def name(self) -> str:
        return "torch, exact" if is_exact(self._net) else "torch"

    @staticmethod
    def begin_thread() -> None:
        """Run torch's operations on the thread that calls them, and not on threads of its own."""
        torch.set_num_threads(1)

    @staticmethod
    def rest() -> None:
        """Nothing is kept."""

    @torch.inference_mode()
    def start(self, tiles: Tiles, log_coarsenesses: Sequence[float]) -> Tiles:
        answer: Tiles = computed(self._net, torch.from_numpy(tiles), torch.tensor(log_coarsenesses)).numpy()
        return answer

    def finish(self, begun: Tiles) -> Tiles:
        return begun


class TorchDevice:
    """torch on a GPU: copies from and to pinned memory while it computes, float16 where its pixels are as good.

    The first batch is computed in both precisions; float16 is kept if no pixel differs by more than one step and
    hardly any by one.
    """

    parallel = False

    def __init__(self, net: nn.Module, device: torch.device, *, half: bool = True) -> None:
        self._net, self._device = net, device
        self._pinned = device.type == "cuda"
        self._half: bool | None = None if half and device.type == "cuda" and not is_exact(net) else False

    @property
    def name(self) -> str:
        return f"torch on {self._device}{', float16' if self._half else ', exact' if is_exact(self._net) else ''}"

    @staticmethod
    def begin_thread() -> None:
        """Nothing: batches come from one thread."""

    @staticmethod
    def rest() -> None:
        """Nothing: a device's memory is for nothing else."""

    def start(self, tiles: Tiles, log_coarsenesses: Sequence[float]) -> tuple[Tensor, Any]:
        try:
            return self._start(tiles, log_coarsenesses)
        except torch.OutOfMemoryError as error:
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            raise DeviceMemoryError(str(error)) from error

    @torch.inference_mode()
    def _start(self, tiles: Tiles, log_coarsenesses: Sequence[float]) -> tuple[Tensor, Any]:
        host = torch.from_numpy(tiles)
        x = (host.pin_memory() if self._pinned else host).to(self._device, non_blocking=True)
        levels = torch.tensor(log_coarsenesses, dtype=torch.float32).to(self._device)
        answer = self._compute(x, levels)
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

    def _compute(self, x: Tensor, log_coarsenesses: Tensor) -> Tensor:
        if self._half is None:
            exact = self._run(x, log_coarsenesses, half=False)
            self._half = nearly_equal(self._run(x, log_coarsenesses, half=True), exact)
            return self._run(x, log_coarsenesses, half=True) if self._half else exact
        return self._run(x, log_coarsenesses, half=self._half)

    def _run(self, x: Tensor, log_coarsenesses: Tensor, *, half: bool) -> Tensor:
        if is_exact(self._net):  # cuDNN may choose Winograd, and TF32 rounds
            with torch.backends.cudnn.flags(enabled=False, allow_tf32=False):
                return computed(self._net, x, log_coarsenesses)
        with torch.autocast(self._device.type, torch.float16, enabled=half):
            answer = self._net(to_floats(x), log_coarsenesses)
        return to_bytes(answer.float())


def nearly_equal(found: Tensor, exact: Tensor) -> bool:
    """Whether uint8 pixels computed in lower precision are as good as the exact ones."""
    difference = (found.int() - exact.int()).abs()
    return int(difference.max()) <= HALF_MAX and float(difference.float().mean()) <= HALF_MEAN
