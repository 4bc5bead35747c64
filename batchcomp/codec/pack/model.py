"""The packer's networks: three layers of whole numbers, so that every machine gets the same probabilities.

Weights are in 1/64, features in 1/16, hidden values in 1/32 (0..255) and logits in 1/128; sums stay below 2^24, where
float32 is exact whatever the order of summing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from batchcomp.codec.pack.context import AC_FEATURES, DC_FEATURES, DC_TERMS
from batchcomp.codec.pack.plane import Features
from batchcomp.errors import PayloadError
from batchcomp.models import PACKER, packer_file

WEIGHT, HIDDEN, LOGIT = 64, 32, 128  # units of the whole numbers, as fractions of one
MAX_HIDDEN, MAX_WEIGHT, MAX_LOGIT = 255, 127, 12 * LOGIT
PLANES: Final = 3
KEY_BYTES: Final = 4  # of the SHA-256 of the networks: what a packed file names them by
UNARY = 7  # decisions on an AC coefficient's size before its escape code
AC_LOGITS: Final = 3 + UNARY  # zero, sign, > 1 .. > 6, each further bit of the escape's length, and the block's end
END: Final = AC_LOGITS - 1
DC_BITS = 12  # most bits of a DC residual
DC_LOGITS: Final = 2 + (DC_BITS - 1) + 2  # zero, sign, more than 1..11 bits, second bit of two and of more
SCALE_BITS = 22  # of probabilities
Layer = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class PackerNet:
    """One for all AC coefficients of a plane (K = 63, for k = 1..63) or for its DC coefficients (K = 1).

    `first` (K, H, F) and `first_bias` (K, H, 1) by coefficient, `second` (G, H), `last` (L, G), and their biases.
    """

    first: Layer
    first_bias: Layer
    second: Layer
    second_bias: Layer
    last: Layer
    last_bias: Layer

    def logits(self, k: int, x: Features) -> NDArray[np.int64]:
        """Whole logits (L, M) in 1/128 of the k-th coefficients with features (F, M)."""
        at = max(0, k - 1)
        h = _hidden(self.first[at] @ x + self.first_bias[at], 32)
        h = _hidden(self.second @ h + self.second_bias, 64)
        logits: NDArray[np.int64] = np.floor((self.last @ h + self.last_bias[at]) * np.float32(1 / 16)).astype(np.int64)
        return logits


def _hidden(x: NDArray[np.float32], by: int) -> NDArray[np.float32]:
    x *= np.float32(1 / by)
    np.floor(x, out=x)
    np.maximum(x, 0, out=x)
    return np.minimum(x, MAX_HIDDEN, out=x)


@dataclass(frozen=True, kw_only=True)
class Packer:
    """Nets for the AC and DC coefficients of each plane, the tables to expect at each quality, and P by logit.

    `tables` are (115, 2, 64) in zigzag order, by the first bytes of a model's SHA-256; `odds` holds P(1), multiples of
    2^-22, for logits from -12 to 12.
    """

    ac: tuple[PackerNet, ...]
    dc: tuple[PackerNet, ...]
    tables: Mapping[bytes, NDArray[np.uint8]]
    odds: NDArray[np.float64]
    key: bytes

    def expected(self, model: bytes, quality: float) -> NDArray[np.int64]:
        """Tables (2, 64) in zigzag order that a model has at about this network quality; of an unknown one, a guess."""
        known = self.tables.get(model)
        tables = next(iter(self.tables.values())) if known is None else known
        expected: NDArray[np.int64] = tables[round(quality) - 1].astype(np.int64)
        return expected

    def probability(self, logits: NDArray[np.int64]) -> NDArray[np.float64]:
        """P(1), a multiple of 2^-22, for whole logits; those beyond the table count as its ends."""
        return np.take(self.odds, logits + MAX_LOGIT, mode="clip")


def logistic_table() -> NDArray[np.int32]:
    """P(1) by logit as the file stores it: a table, because `exp` differs in its last digit between machines."""
    logits = np.arange(-MAX_LOGIT, MAX_LOGIT + 1) / LOGIT
    return np.rint((1 << SCALE_BITS) / (1 + np.exp(-logits))).astype(np.int32)


def from_bytes(data: bytes) -> Packer:
    """Build the packer of a file.

    Raises:
        PayloadError: it is none.
    """
    try:
        tensors = load(data)
        ac, dc = ([_net(tensors, f"{kind}.{plane}") for plane in range(PLANES)] for kind in ("ac", "dc"))
        packer = Packer(
            ac=tuple(ac),
            dc=tuple(dc),
            tables=_tables_by_model(tensors),
            odds=tensors["likely"] / (1 << SCALE_BITS),
            key=hashlib.sha256(data).digest()[:KEY_BYTES],
        )
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise PayloadError(f"the packer's networks are damaged ({error}); reinstall batchcomp") from error
    for nets, features, outputs in ((ac, AC_FEATURES, None), (dc, DC_FEATURES, DC_TERMS)):
        for plane, net in enumerate(nets):
            wide = AC_LOGITS if outputs is None else DC_LOGITS + outputs[plane]
            if net.first.shape[2] != features[plane] or net.last.shape[0] != wide:
                raise PayloadError("the packer's networks do not fit this version; reinstall batchcomp")
    return packer


def _tables_by_model(tensors: dict[str, NDArray[np.uint8]]) -> dict[bytes, NDArray[np.uint8]]:
    """By model, the first one's first.

    Raises:
        ValueError: there are none.
    """
    if not len(tensors["models"]):
        raise ValueError("no tables")
    return {model.tobytes(): tables for model, tables in zip(tensors["models"], tensors["tables"], strict=True)}


def to_bytes(tensors: dict[str, NDArray[np.generic]]) -> bytes:
    """The file of a packer: `models`, their `tables`, and "ac.PLANE.NAME" and "dc.PLANE.NAME" for each of `NAMES`.

    `models` (M, 4) are the first bytes of each model's SHA-256, `tables` (M, 115, 2, 64) what to expect of it.
    """
    used = {name: _as_used(name.rpartition(".")[2], value) for name, value in tensors.items()}
    return save({name: np.ascontiguousarray(value) for name, value in {**used, "likely": logistic_table()}.items()})


def _as_used(name: str, values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Values of a network rounded to what it computes with, which deflates better.

    `first` is used times its gain, rounded then: of both some more bits are kept, by a third fewer bytes than with all.
    """
    steps = {"first": 2048, "gain": 1024, "second": WEIGHT, "last": WEIGHT, "first_bias": WEIGHT * 16}.get(name)
    steps = WEIGHT * HIDDEN if name in {"second_bias", "last_bias"} else steps
    if steps is None:
        return values
    whole = np.rint(values.astype(np.float64) * steps)
    limited = np.clip(whole, -MAX_WEIGHT, MAX_WEIGHT) if steps == WEIGHT else whole
    return (limited / steps + 0.0).astype(np.float32)  # one zero, without a sign


def _net(tensors: dict[str, NDArray[np.float32]], name: str) -> PackerNet:
    """Weights rounded to whole numbers; `gain` (K, H) scales the first layer for each coefficient."""
    part = {key: tensors[f"{name}.{key}"].astype(np.float64) for key in NAMES}
    first = _whole(part["first"] * part["gain"][:, :, None], WEIGHT)
    return PackerNet(
        first=first,
        first_bias=np.rint(part["first_bias"] * (WEIGHT * 16))[:, :, None].astype(np.float32),
        second=_whole(part["second"], WEIGHT),
        second_bias=np.rint(part["second_bias"] * (WEIGHT * HIDDEN))[:, None].astype(np.float32),
        last=_whole(part["last"], WEIGHT),
        last_bias=np.rint(part["last_bias"] * (WEIGHT * HIDDEN))[:, :, None].astype(np.float32),
    )


NAMES: Final = ("first", "gain", "first_bias", "second", "second_bias", "last", "last_bias")


def _whole(weights: NDArray[np.float64], unit: int) -> NDArray[np.float32]:
    return np.clip(np.rint(weights * unit), -MAX_WEIGHT, MAX_WEIGHT).astype(np.float32)


@cache
def shipped() -> Packer:
    """The packer that ships in the package.

    Raises:
        PayloadError: its file is missing or damaged.
    """
    try:
        return from_bytes(packer_file())
    except FileNotFoundError as error:
        raise PayloadError("the packer's networks are missing; reinstall batchcomp") from error
    except ValueError as error:
        raise PayloadError(f"the packer's networks are damaged ({error}); reinstall batchcomp") from error


def by_key(key: bytes) -> Packer:
    """The packer that a file was packed with, by the first 4 bytes of the SHA-256 of its networks.

    Raises:
        PayloadError: the one that ships has another key.
    """
    if (known := PACKER.sha256[: 2 * KEY_BYTES]) != key.hex():
        raise PayloadError(f"it was packed with networks {key.hex()}, this version has {known}; upgrade")
    return shipped()
