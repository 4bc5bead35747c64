"""What a model file says of its networks, whatever the family: enough to run them without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

Tensors = Mapping[str, tuple[int, ...]]  # shape by name, as in a model file
FLOAT: Final = 4  # bytes
TABLES: Final[Tensors] = {"log_tables": (2, 8, 8)}
SLOPES: Final[Tensors] = {"log_slopes": (2, 8, 8)}


class NetworkShape(Protocol):
    """An architecture: a frozen dataclass of plain numbers, written into the model file, that says how nets are built.

    Its constructor raises ValueError or TypeError for numbers that build none.
    """

    @property
    def scale(self) -> int:
        """Sides of the original over those of the compact picture."""
        ...

    @property
    def unit(self) -> int:
        """Sides of the original that the nets take are multiples of this."""
        ...

    @property
    def parameters(self) -> int:
        """Numbers in the model file."""
        ...

    @property
    def tensors(self) -> Tensors:
        """Every tensor of the model file; those of ComCNN begin with `com.`, those of RecCNN with `rec.`."""
        ...

    @property
    def com_halo(self) -> int:
        """Receptive-field radius of ComCNN in original pixels, a multiple of `unit`."""
        ...

    @property
    def rec_halo(self) -> int:
        """Receptive-field radius of RecCNN in original pixels, a multiple of `unit`."""
        ...

    @property
    def com_bytes(self) -> float:
        """Bytes, in float32, of the largest output of a convolution of ComCNN for each of its input pixels."""
        ...

    @property
    def rec_bytes(self) -> float:
        """Likewise of RecCNN, whose input is the compact picture."""
        ...


def conv_tensors(name: str, channels_in: int, channels_out: int, kernel: int) -> dict[str, tuple[int, ...]]:
    """The tensors of a convolution with a bias."""
    return {f"{name}.weight": (channels_out, channels_in, kernel, kernel), f"{name}.bias": (channels_out,)}


def block_tensors(name: str, width: int, *, second: int = 3) -> dict[str, tuple[int, ...]]:
    """The tensors of a residual block: two convolutions, the second with a kernel of its own size."""
    return conv_tensors(f"{name}.first", width, width, 3) | conv_tensors(f"{name}.second", width, width, second)


def gain_tensors(name: str, hidden: int) -> dict[str, tuple[int, ...]]:
    """The tensors of the gains of so many hidden channels: a cubic polynomial each."""
    return {f"{name}.cubic.weight": (hidden, 3), f"{name}.cubic.bias": (hidden,)}


def counted(tensors: Tensors) -> int:
    """How many numbers they hold."""
    total = 0
    for shape in tensors.values():
        size = 1
        for side in shape:
            size *= side
        total += size
    return total
