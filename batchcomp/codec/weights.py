"""Model files: safetensors with the architecture in their header, known by the SHA-256 of their bytes."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from batchcomp.codec.model import Arrays, Model
from batchcomp.codec.networks import FAMILIES, name_of
from batchcomp.codec.networks.shape import NetworkShape
from batchcomp.codec.tables import Ladder
from batchcomp.errors import ModelError
from batchcomp.models import MODELS, model_file

if TYPE_CHECKING:
    import torch

    from batchcomp.codec.networks.base import CodecNetwork

DEFAULT = "default"  # the model that ships for all who ask for none
FORMAT = "batchcomp-model-1"
KEY = "batchcomp"
MAX_MODEL_BYTES = 256 * 2**20


def to_bytes(network: CodecNetwork, *, half: bool = True) -> bytes:
    """Serialise weights, in float16 unless `half` is False, with the architecture as metadata."""
    dtype = np.float16 if half else np.float32
    tensors = {key: value.detach().cpu().numpy().astype(dtype) for key, value in network.state_dict().items()}
    for name, module in network.named_modules():
        if hasattr(module, "whole"):  # an `ExactConv2d`: what it computes with
            weight, bias = (value.detach().cpu().numpy() for value in module.whole())
            tensors |= {f"{name}.weight": weight.astype(dtype), f"{name}.bias": bias}
    tensors |= {key: value.detach().cpu().float().numpy() for key, value in tables_of(network).items()}
    # One key only: safetensors writes several in an order of chance, and the bytes are what the model is known by.
    architecture = asdict(network.arch)  # type: ignore[call-overload]
    header = {"format": FORMAT, "family": name_of(network), "architecture": architecture}
    whole = {key: np.asarray(value, order="C") for key, value in tensors.items()}
    return safetensors.numpy.save(whole, metadata={KEY: json.dumps(header, sort_keys=True)})


def tables_of(network: CodecNetwork) -> dict[str, torch.Tensor]:
    """The quantisation tables' tensors: small, and kept in full precision."""
    return {key: value for key, value in network.state_dict().items() if key in {"log_tables", "log_slopes"}}


def header_of(data: bytes, source: str) -> tuple[str, NetworkShape]:
    """Read the family and the architecture from a model file's header."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(len(data) - 8, 100_000):
        raise ModelError(f"{source}: not a safetensors file; name a model written by `batchcomp train`")
    try:
        header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][KEY])
        if header["format"] != FORMAT:
            raise ModelError(f"{source}: format {header['format']!r}, expected {FORMAT!r}; retrain or upgrade")
        name = header["family"]
        if name not in FAMILIES:
            raise ModelError(f"{source}: family {name!r}, expected one of {', '.join(FAMILIES)}; upgrade batchcomp")
        return name, FAMILIES[name].shape(**header["architecture"])
    except KeyError as error:
        raise ModelError(f"{source}: no model of batchcomp's ({error} is missing); name one that it trained") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{source}: the model's header is damaged ({error}); use an intact copy") from error


def from_bytes(data: bytes, source: str) -> Model:
    """Read a model file.

    Raises:
        ModelError: the bytes are no model of ours, or its tensors do not fit its architecture.
    """
    family, arch = header_of(data, source)
    if 2 * arch.parameters > len(data):  # float16 is the least; a forged header must not cost memory
        raise ModelError(f"{source}: {len(data):,} bytes do not fit the architecture; use an intact copy")
    try:
        arrays = _fitting(data, arch)
    except (SafetensorError, RuntimeError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ModelError(f"{source}: the tensors do not fit the architecture ({reason}); use an intact copy") from error
    if not all(bool(np.isfinite(value).all()) for value in arrays.values()):
        raise ModelError(f"{source}: the weights are not finite numbers; use an intact copy")
    return Model(family=family, arch=arch, arrays=arrays, sha256=hashlib.sha256(data).hexdigest(), name=source)


def _fitting(data: bytes, arch: NetworkShape) -> Arrays:
    """The tensors of a file in float32, exactly those of the architecture; ValueError for any other."""
    found = safetensors.numpy.load(data)
    if odd := sorted(found.keys() ^ arch.tensors.keys()):
        raise ValueError(f"{odd[0]} is {'missing' if odd[0] in arch.tensors else 'too much'}")
    for name, shape in arch.tensors.items():
        if found[name].shape != shape:
            raise ValueError(f"{name} is {found[name].shape}, expected {shape}")
    with np.errstate(over="ignore"):  # numbers beyond float32 are found to be infinite
        return {name: value.astype(np.float32) for name, value in found.items()}


def lasting_name(path: Path | None) -> str:
    """What `load_file` finds the same model by from any folder: a shipped model's name, or an absolute path."""
    if path is None:
        return DEFAULT
    return str(path) if is_shipped(path) else os.path.abspath(path)  # noqa: PTH100  # keeps a link's name


def is_shipped(path: Path) -> bool:
    """Tell whether this is the name of a shipped model, and no file is called so."""
    return str(path) in MODELS and not path.exists()


def load_file(path: Path) -> Model:
    """Load a model from a file, or the shipped one of that name where there is no such file.

    Raises:
        ModelError: the file cannot be read, is too large, or is no model.
    """
    if is_shipped(path):
        return load_shipped(str(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a device may never end, a FIFO never begin
            raise ModelError(f"{path}: not a regular file; name a file with --model, or {' or '.join(MODELS)}")
        if status.st_size > MAX_MODEL_BYTES:
            raise ModelError(f"{path}: larger than {MAX_MODEL_BYTES >> 20} MiB; not a model of ours")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; name a file with --model, or {' or '.join(MODELS)}") from error
    return from_bytes(data, str(path))


def load_shipped(name: str = DEFAULT) -> Model:
    """Load a model that ships in the package.

    Raises:
        ModelError: its file is missing or is not the one that shipped.
    """
    try:
        return from_bytes(model_file(name), name)
    except FileNotFoundError as error:
        raise ModelError(f"{name}: the shipped weights are missing; reinstall batchcomp") from error
    except ValueError as error:
        raise ModelError(f"{name}: the shipped weights are damaged ({error}); reinstall batchcomp") from error


def load_fine(model: Model) -> Model | None:
    """The shipped model that takes over from a shipped model of half size at the finest qualities, if it has one."""
    shipped = MODELS.get(model.name)
    return load_shipped(shipped.fine) if shipped and shipped.fine else None


def ladder_of(model: Model) -> Ladder:
    """How a model shares the qualities with the one of full size that belongs to it."""
    shipped = MODELS.get(model.name)
    return Ladder(half_end=shipped.half_end, full_start=shipped.full_start) if shipped else Ladder()


def known_hashes(extra: Path | None = None) -> set[str]:
    """Return the SHA-256 of every model that is at hand; `extra` is a file of another one.

    Raises:
        ModelError: `extra` is no model.
    """
    return {shipped.sha256 for shipped in MODELS.values()} | ({load_file(extra).sha256} if extra else set())


def load_by_hash(prefix: str, extra: Path | None = None) -> Model:
    """Find the model whose SHA-256 begins with `prefix`: `extra` first, then the shipped ones.

    Raises:
        ModelError: none matches.
    """
    hashes = {name: shipped.sha256 for name, shipped in MODELS.items()}
    if extra:
        model = load_file(extra)
        if model.sha256.startswith(prefix):
            return model
        hashes = {model.name: model.sha256, **hashes}
    for name, shipped in MODELS.items():
        if shipped.sha256.startswith(prefix):
            return load_shipped(name)
    known = ", ".join(f"{name} ({sha256[:16]})" for name, sha256 in hashes.items())
    raise ModelError(f"model {prefix} is needed and not at hand (known: {known}); pass its file with --model FILE")
