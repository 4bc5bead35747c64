"""The families of networks: ComCNN (compact-representation CNN), RecCNN (reconstruction CNN) and their tables.

A new family is a file here and a line in `FAMILIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from batchcomp.codec.networks.base import CodecNetwork, NetworkShape
from batchcomp.codec.networks.jiang2017 import Jiang2017Architecture, Jiang2017Network
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture


@dataclass(frozen=True)
class Family:
    """How the nets of a family are built: from a file's numbers, their shape; from it, the nets."""

    shape: Callable[..., NetworkShape]
    network: Callable[[Any], CodecNetwork]


FAMILIES: Final[Mapping[str, Family]] = {  # by the name in a model file
    "residual": Family(ResidualArchitecture, ResidualNetwork),
    "jiang2017": Family(Jiang2017Architecture, Jiang2017Network),
}
