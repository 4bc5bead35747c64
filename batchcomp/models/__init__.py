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
    """

    sha256: str
    fine: str = ""


MODELS: Final[Mapping[str, Shipped]] = {
    "default": Shipped(sha256="a943af05fd2bb67b8fdfcecb01f3139df465b568e14efffcc826f0fa5ba2f5c0", fine="default-fine"),
    "default-fine": Shipped(sha256="96a56c478d9d65a9d6a2ab46561a778e89d912323b2f3a2ef3f5771b1e1a4c1c"),
    "fast": Shipped(sha256="cd49d39cdb6c11c116264c2ae90cfef4f64fbb8d8b7c76385f87c298f263a672", fine="default-fine"),
    "jiang2017": Shipped(sha256="8651a557937fede7256b28124e9b54a84bd53db3e95bf717e24cf9c7f714ee40"),
}
PACKER: Final = Shipped(
    sha256="427878fc4ba837ad28ec2f0cc53dd30bf06aa9b4c281bd6b0d5292640a2094c6"
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
