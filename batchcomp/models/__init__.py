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
        sha256="3801482789fde89ada48bf482636d934c03ccb0e5a23e6c9b9ad0b5cb00aa2db",
        fine="default-fine",
        half_end=106.0,
        full_start=56.0,
    ),
    "fast": Shipped(
        sha256="32f91a59c217b4c543c26ecd7904df58026124f0eab6ebda4d6e3aa07d7c7bd6",
        fine="default-fine",
        half_end=102.0,
        full_start=50.0,
    ),
    "default-fine": Shipped(sha256="1d2925b60df6296107bb9e838654177310a2b7a0bfb05d6ed63881b64d69e24f"),
    "jiang2017": Shipped(sha256="8651a557937fede7256b28124e9b54a84bd53db3e95bf717e24cf9c7f714ee40"),
}
PACKER: Final = Shipped(
    sha256="de442813239dec42b3d533786a48402255766403f2da688eb448ed2a7ea51aa9"
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
