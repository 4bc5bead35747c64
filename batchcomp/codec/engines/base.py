"""What an engine is: it maps uint8 tiles to uint8 tiles.

Engines for the CPU take one tile at a time, on one core each: `tiles.Runner` gives every core its own, which on two
cores is 5 to 25 % faster than torch's threads inside each convolution and makes the answer independent of their number.
An engine for another device takes batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Tiles = NDArray[np.uint8]  # (B, H, W, 3)
Planes = NDArray[np.float32]  # (C, H, W), around [0, 1]


class DeviceMemoryError(MemoryError):
    """The device has too little memory for a batch."""


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

    @staticmethod
    def begin_thread() -> None:
        """Prepare a thread that will call it with one tile after another."""
        ...

    @staticmethod
    def rest() -> None:
        """Give back memory that is kept from one tile to the next: no picture is computed now."""
        ...

    def start(self, tiles: Tiles, log_coarsenesses: Sequence[float]) -> Any:
        """Begin with uint8 tiles (B, H, W, 3) and a log2(coarseness) each; a device may still be at work on return.

        Raises:
            DeviceMemoryError: the device does not hold so many at once.
        """
        ...

    def finish(self, begun: Any) -> Tiles:
        """Wait for what `start` returned: uint8 (B, H', W', 3)."""
        ...


def to_planes(tile: NDArray[np.uint8]) -> Planes:
    """(H, W, 3) uint8 to (3, H, W) in [0, 1]."""
    planes = np.empty((tile.shape[2], *tile.shape[:2]), np.float32)
    return np.divide(tile.transpose(2, 0, 1), np.float32(255), out=planes)


def to_tile(planes: Planes) -> NDArray[np.uint8]:
    """(3, H, W) around [0, 1], changed in place, to uint8 (H, W, 3)."""
    np.clip(planes, 0, 1, out=planes)
    planes *= np.float32(255)
    np.rint(planes, out=planes)
    tile = np.empty((*planes.shape[1:], planes.shape[0]), np.uint8)
    tile[...] = planes.transpose(1, 2, 0)
    return tile
