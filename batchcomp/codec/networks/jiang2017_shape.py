"""What a model file says of the double network of 2017, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass

from batchcomp.codec.networks.shape import FLOAT, TABLES, Tensors, conv_tensors, counted

SCALE = 2
MAX_WIDTH, MAX_LAYERS = 512, 64


@dataclass(frozen=True, kw_only=True)
class Jiang2017Architecture:
    """What a model file must say for its nets to be built again: channels of both nets, layers of RecCNN."""

    width: int = 64
    layers: int = 20

    def __post_init__(self) -> None:
        """Raise ValueError where the numbers build no network, or one that no picture needs."""
        if type(self.width) is not int or not 1 <= self.width <= MAX_WIDTH:
            raise ValueError(f"width {self.width!r}: expected a whole number from 1 to {MAX_WIDTH}")
        if type(self.layers) is not int or not 2 <= self.layers <= MAX_LAYERS:
            raise ValueError(f"layers {self.layers!r}: expected a whole number from 2 to {MAX_LAYERS}")

    @property
    def scale(self) -> int:
        """Sides of the original over those of the compact picture."""
        return SCALE

    @property
    def unit(self) -> int:
        """Sides of the original that the nets take are multiples of this."""
        return SCALE

    @property
    def parameters(self) -> int:
        """Weights and biases of both nets, and the tables' entries."""
        return counted(self.tensors)

    @property
    def tensors(self) -> Tensors:
        """Every tensor of the model file."""
        width = self.width
        found = dict(TABLES)
        for net, middle in (("com", ["halving"]), ("rec", [f"inner.{number}" for number in range(self.layers - 2)])):
            found |= conv_tensors(f"{net}.first", 3, width, 3) | conv_tensors(f"{net}.last", width, 3, 3)
            for name in middle:
                found |= conv_tensors(f"{net}.{name}", width, width, 3)
        return found

    @property
    def com_halo(self) -> int:
        """Receptive-field radius of ComCNN in original pixels: 4 for its layers and for the bicubic filter alike."""
        return 2 * SCALE

    @property
    def rec_halo(self) -> int:
        """Receptive-field radius of RecCNN in original pixels: a pixel a layer, and 2 compact ones for the bicubic."""
        return (-(-self.layers // SCALE) + 2) * SCALE

    @property
    def com_bytes(self) -> float:
        """Bytes of the largest output of a convolution of ComCNN for each of its input pixels."""
        return FLOAT * float(max(3, self.width))

    @property
    def rec_bytes(self) -> float:
        """Likewise of RecCNN, whose layers have the size of the original."""
        return FLOAT * float(SCALE**2 * max(3, self.width))
