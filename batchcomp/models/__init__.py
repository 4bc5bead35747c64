"""The weights that ship, by name, with the SHA-256 of each file: the one table of models.

A new model is its files here (`NAME.safetensors`, `NAME.md`) and a line in `MODELS`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """One file of weights.

    Attributes:
        sha256: of the file's bytes; archives name a model by it.
        fine: the model of full size that takes over at the finest qualities, "" where there is none.
        half_end: its own network quality where that one takes over; see `codec.tables.Ladder`.
        full_start: the network quality of that one there.
    """

    sha256: str
    fine: str = ""
    half_end: float = 115.0
    full_start: float = 82.0


MODELS: Final[Mapping[str, Shipped]] = {
    "default": Shipped(
        sha256="63a9ab50fff217d4177b37496994f22a098bc26b0a0e40688152a01881a99a56",
        fine="default-fine",
        half_end=106.0,
        full_start=56.0,
    ),
    "fast": Shipped(
        sha256="33bcff5701053739c6e9f7ab4363f763bd802ee4b88426f7b70683611b44b4f4",
        fine="default-fine",
        half_end=102.0,
        full_start=50.0,
    ),
    "default-fine": Shipped(sha256="668974b8bac0c01463366cc880ed8fd68dfe6d512c66352a891bb9a8dac767b5"),
    "jiang2017": Shipped(sha256="8651a557937fede7256b28124e9b54a84bd53db3e95bf717e24cf9c7f714ee40"),
}
PACKER: Final = Shipped(
    sha256="6fdbc08a81b29d73684c9f0ab25d1d4ab2e4bf5e7da2d08813b4c5e263101c5b"
)  # the networks of `--pack`


def model_file(name: str) -> bytes:
    """Return the file of a model of `MODELS`.

    Raises:
        FileNotFoundError: it is missing from this installation.
        ValueError: it is not the one that shipped.
    """
    return _read(name, MODELS[name])


def packer_file() -> bytes:
    """Return the file of the packer's networks.

    Raises:
        FileNotFoundError: it is missing from this installation.
        ValueError: it is not the one that shipped.
    """
    return _read("packer", PACKER)


def _read(name: str, shipped: Shipped) -> bytes:
    data = (resources.files(__name__) / f"{name}.safetensors").read_bytes()
    if (found := hashlib.sha256(data).hexdigest()) != shipped.sha256:
        raise ValueError(f"{name}.safetensors has the SHA-256 {found}, not {shipped.sha256}")
    return data
