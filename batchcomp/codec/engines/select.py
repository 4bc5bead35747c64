"""The fastest engine for a network on a device, each built once."""

from __future__ import annotations

import importlib.util
import threading

import torch
from torch import Tensor, nn

from batchcomp.codec.engines.base import Engine
from batchcomp.codec.engines.torch import TorchCpu, TorchDevice

PROBE = 64  # pixels a side of the picture that networks are tried on: a multiple of every unit


class EngineCache:
    """The engines of networks on one device, each built when it is first asked for, and once.

    It travels to other processes empty: they build their own.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._built: dict[int, tuple[nn.Module, Engine]] = {}  # by id; the network is kept, so that ids stay unique
        self._bytes: dict[int, float] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[EngineCache], tuple[torch.device]]:
        return EngineCache, (self._device,)

    def bytes_per_pixel(self, net: nn.Module) -> float:
        """Bytes of the largest output of a convolution of a network, for each of its input pixels."""
        with self._lock:
            if id(net) not in self._bytes:
                self._bytes[id(net)] = largest_output(net, self._device)
            return self._bytes[id(net)]

    def of(self, net: nn.Module) -> Engine:
        """Return the engine of a network that is on the device already."""
        with self._lock:
            if id(net) not in self._built:
                self._built[id(net)] = net, choose(net, self._device)
            return self._built[id(net)][1]


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
        from batchcomp.codec.engines.ncnn import ncnn_for  # noqa: PLC0415  (needs the extra `fast`)

        return ncnn_for(net) or TorchCpu(net)
    return TorchCpu(net)
