"""The families of networks: ComCNN (compact-representation CNN), RecCNN (reconstruction CNN) and their tables.

A new family is a file for its networks, one for its architecture, and a line in `FAMILIES`. Nothing here loads torch
before the networks themselves are asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from batchcomp.codec.networks.shape import NetworkShape

if TYPE_CHECKING:
    from batchcomp.codec.networks.base import CodecNetwork


@dataclass(frozen=True, kw_only=True)
class Family:
    """Where a family is found, each as `module:name` below `batchcomp.codec`.

    Attributes:
        architecture: makes an architecture of a model file's numbers.
        networks: the networks, in torch.
    """

    architecture: str
    networks: str

    @property
    def shape(self) -> Callable[..., NetworkShape]:
        """The architecture's class."""
        return cast("Callable[..., NetworkShape]", _found(self.architecture))


FAMILIES: Final[Mapping[str, Family]] = {  # by the name in a model file
    "residual": Family(
        architecture="networks.residual_shape:ResidualArchitecture", networks="networks.residual:ResidualNetwork"
    ),
    "jiang2017": Family(
        architecture="networks.jiang2017_shape:Jiang2017Architecture", networks="networks.jiang2017:Jiang2017Network"
    ),
}


def _found(reference: str) -> Any:
    module, name = reference.split(":")
    return getattr(importlib.import_module(f"batchcomp.codec.{module}"), name)


def networks_of(name: str) -> type[CodecNetwork]:
    """Return the networks of a family of `FAMILIES`, in torch."""
    return cast("type[CodecNetwork]", _found(FAMILIES[name].networks))


def name_of(network: CodecNetwork) -> str:
    """Return the family's name in `FAMILIES`.

    Raises:
        ValueError: it has none, as networks without weights.
    """
    reference = f"{type(network).__module__}:{type(network).__qualname__}".removeprefix("batchcomp.codec.")
    for name, family in FAMILIES.items():
        if family.networks == reference:
            return name
    raise ValueError(f"{reference} is no family of `FAMILIES`")


def untrained(arch: NetworkShape) -> CodecNetwork:
    """Return new networks of an architecture, of whichever family it is.

    Raises:
        ValueError: it is of none.
    """
    for name, family in FAMILIES.items():
        if type(arch) is family.shape:
            return networks_of(name)(arch)
    raise ValueError(f"{arch} is an architecture of no family of `FAMILIES`")
