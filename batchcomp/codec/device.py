"""Where networks run. Torch is loaded only where there may be another device than the processor."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from batchcomp.errors import UsageError

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda", "mps")
# Files that a GPU's driver makes: NVIDIA's, AMD's (which torch calls cuda too), and those of Windows' Linux.
_TRACES = ("/dev/nvidiactl", "/dev/nvidia0", "/proc/driver/nvidia", "/dev/kfd", "/dev/dxg", "/dev/nvhost-gpu")


@dataclass(frozen=True)
class Device:
    """The processor (`cpu`), or a device of torch's (`cuda`, `mps`)."""

    type: str

    @property
    def torch(self) -> torch.device:
        """The same for torch."""
        import torch  # noqa: PLC0415  (only where torch computes)

        return torch.device(self.type)

    def __str__(self) -> str:
        return self.type


def choose_device(name: str) -> Device:
    """Turn auto, cpu, cuda or mps into a device that is there.

    Raises:
        UsageError: it is not there.
    """
    if name not in DEVICES:
        raise UsageError(f"device {name!r}: expected one of {', '.join(DEVICES)}")
    if name == "cpu" or (name == "auto" and not may_have_another()):
        return Device("cpu")
    import torch  # noqa: PLC0415

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return Device(next((device for device, is_there in there.items() if is_there), "cpu"))
    if not there[name]:
        raise UsageError(f"device {name}: not available on this machine; use --device auto or cpu")
    return Device(name)


def may_have_another() -> bool:
    """Whether this machine shows a trace of a device that torch could use; torch then says whether it can."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    if os.name == "nt":
        return Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "nvcuda.dll").exists()
    return any(Path(trace).exists() for trace in _TRACES)
