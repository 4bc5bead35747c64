"""Networks and pictures that several tests share."""

from __future__ import annotations

import numpy as np
import torch

from batchcomp.codec.model import Model
from batchcomp.codec.networks.base import CodecNetwork
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.images.picture import Pixels

PLAIN = ResidualArchitecture(com_width=16, com_blocks=2, rec_width=16, rec_blocks=1)

GROWN = ResidualArchitecture(
    unshuffle=8, com_width=16, com_blocks=2, rec_width=24, rec_blocks=3, mid_width=8, com_mid_blocks=1,
    rec_mid_blocks=2, gains=True, bands=True, phases=True,
)  # fmt: skip

PHASED = ResidualArchitecture(com_width=16, com_blocks=1, rec_width=16, rec_blocks=1, phases=True)


def moved(arch: ResidualArchitecture, *, seed: int = 0) -> ResidualNetwork:
    """Nets none of whose weights is zero, so that every branch matters."""
    torch.manual_seed(seed)
    network = ResidualNetwork(arch)
    with torch.no_grad():
        for value in network.parameters():
            value.add_(torch.randn_like(value) * 0.02)
    return network.eval().requires_grad_(requires_grad=False)


def model_of(network: CodecNetwork) -> Model:
    """The model of networks that have no file."""
    return Model.of(network, sha256="0" * 64, name="test")


def noise(*shape: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def screenshot(height: int = 240, width: int = 320) -> np.ndarray:
    """Flat areas, frames and lines of something like text."""
    rng = np.random.default_rng(1)
    pixels = np.full((height, width, 3), 245, np.uint8)
    pixels[:24] = (40, 90, 160)
    pixels[40:-8, 8:80] = (225, 228, 232)
    for top in range(48, height - 16, 12):
        for left in range(96, width - 24, 5):
            pixels[top : top + 8, left : left + 4] = 245 - 200 * (rng.random((8, 4, 1)) < 0.4)
    return pixels
