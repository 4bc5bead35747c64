"""The fastest engine for a network on a device, each built once."""

from __future__ import annotations

import importlib.util
import threading
from contextlib import suppress

from batchcomp.codec.device import Device
from batchcomp.codec.engines.base import Engine
from batchcomp.codec.model import COM, Net

WITHOUT_NCNN = "without ncnn at half the speed, and it starts a second later; run pip install ncnn"
_Key = tuple[int, str]  # of a network: its model's id, and which of the two it is


class EngineCache:
    """The engines of networks on one device, each built when it is first asked for, and once.

    It travels to other processes empty: they build their own.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._built: dict[_Key, tuple[Net, Engine]] = {}  # the network is kept, so that ids stay unique
        self._locks: dict[_Key, threading.Lock] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[EngineCache], tuple[Device]]:
        return EngineCache, (self._device,)

    def of(self, net: Net) -> Engine:
        """Return the engine of a network. Other threads get those of other networks meanwhile."""
        key = id(net.model), net.role
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._built:
                self._built[key] = net, choose(net, self._device)
            return self._built[key][1]

    def prepare(self, *nets: Net) -> None:
        """Begin to build engines that will be asked for.

        A process does not end before they are built: native threads that lose it on the way abort it.
        """
        for net in nets:
            with suppress(RuntimeError):  # no thread is to be had; they are built when they are asked for
                threading.Thread(target=self._try, args=[net], name="engine").start()

    def _try(self, net: Net) -> None:
        with suppress(Exception):  # whoever asks for the engine is told
            self.of(net)


def choose(net: Net, device: Device) -> Engine:
    """The fastest engine for a network on a device whose results pass the engine's own check."""
    if device.type == "cpu" and has_ncnn():
        from batchcomp.codec.engines.ncnn import ncnn_for  # noqa: PLC0415  (not on every platform)

        if engine := ncnn_for(net):
            return engine
    from batchcomp.codec.engines.torch import TorchCpu, TorchDevice  # noqa: PLC0415  (torch takes a second to load)

    network = net.model.network.placed(device.torch)
    module = network.com if net.role == COM else network.rec
    return TorchCpu(module) if device.type == "cpu" else TorchDevice(module, device.torch)


def has_ncnn() -> bool:
    """Whether ncnn is installed."""
    return importlib.util.find_spec("ncnn") is not None
