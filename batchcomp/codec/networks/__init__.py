"""The families of networks: ComCNN (compact-representation CNN), RecCNN (reconstruction CNN) and their tables.

A new family is a file here and a line in `FAMILIES`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Final, cast

from batchcomp.codec.networks.base import CodecNetwork, NetworkShape

FAMILIES: Final[Mapping[str, str]] = {  # by the name in a model file: `module:Class` of the networks
    "residual": "batchcomp.codec.networks.residual:ResidualNetwork",
    "steered": "batchcomp.codec.networks.steered:SteeredNetwork",
    "jiang2017": "batchcomp.codec.networks.jiang2017:Jiang2017Network",
}


def family_of(name: str) -> type[CodecNetwork]:
    """Return the networks of a family of `FAMILIES`."""
    module, network = FAMILIES[name].split(":")
    return cast("type[CodecNetwork]", getattr(importlib.import_module(module), network))


def name_of(network: CodecNetwork) -> str:
    """Return the family's name in `FAMILIES`.

    Raises:
        ValueError: it has none, as networks without weights.
    """
    reference = f"{type(network).__module__}:{type(network).__qualname__}"
    for name, known in FAMILIES.items():
        if known == reference:
            return name
    raise ValueError(f"{reference} is no family of `FAMILIES`")


def untrained(arch: NetworkShape) -> CodecNetwork:
    """Return new networks of an architecture, of whichever family it is.

    Raises:
        ValueError: it is of none.
    """
    for family in map(family_of, FAMILIES):
        if type(arch) is family.shape:
            return family(arch)
    raise ValueError(f"{arch} is an architecture of no family of `FAMILIES`")
