"""Model files: safetensors with the architecture in their header, known by the SHA-256 of their bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError

from batchcomp.codec.classic import ClassicArchitecture, ClassicNetwork
from batchcomp.codec.family import CodecNetwork, Shape
from batchcomp.codec.networks import Architecture, DoubleNetwork
from batchcomp.errors import ModelError

SHIPPED = {
    "default": "default.safetensors",
    "default-fine": "default-fine.safetensors",
    "fast": "fast.safetensors",
    "alternating": "alternating.safetensors",
    # earlier defaults, which older archives name
    "default-4": "default-4.safetensors",
    "default-3": "default-3.safetensors",
    "default-2": "default-2.safetensors",
    "default-fine-1": "default-fine-1.safetensors",
    "default-1": "default-1.safetensors",
}  # name -> file in batchcomp/models
FINE = {
    "default": "default-fine",
    "fast": "default-fine",
    "default-4": "default-fine",
    "default-3": "default-fine",
    "default-2": "default-fine-1",
}  # name -> the model of full size for its finest qualities
FORMAT = "batchcomp-model-1"
KEY = "batchcomp"
MAX_MODEL_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Family:
    """How the nets of a family are built: from a file's numbers, their shape; from it, the nets."""

    shape: Callable[..., Shape]
    network: Callable[[Any], CodecNetwork]


FIRST_FAMILY = "folded"  # the one of files that name none
FAMILIES = {
    FIRST_FAMILY: Family(Architecture, DoubleNetwork),
    "classic": Family(ClassicArchitecture, ClassicNetwork),
}


@dataclass(frozen=True, kw_only=True)
class Model:
    """Nets ready for use, with the hash that archives name them by."""

    network: CodecNetwork
    sha256: str
    name: str


def to_bytes(network: CodecNetwork, *, half: bool = True) -> bytes:
    """Serialise weights, in float16 unless `half` is False, with the architecture as metadata."""
    dtype = torch.float16 if half else torch.float32
    tensors = {key: value.detach().to("cpu", dtype).contiguous() for key, value in network.state_dict().items()}
    tensors |= {key: value.detach().cpu().float().contiguous() for key, value in tables_of(network).items()}
    # One key only: safetensors writes several in an order of chance, and the bytes are what the model is known by.
    header = {"format": FORMAT, "architecture": asdict(network.arch)}  # type: ignore[call-overload]
    family = next(name for name, family in FAMILIES.items() if type(network) is family.network)
    if family != FIRST_FAMILY:
        header["family"] = family
    return safetensors.torch.save(tensors, metadata={KEY: json.dumps(header, sort_keys=True)})


def tables_of(network: CodecNetwork) -> dict[str, torch.Tensor]:
    """The quantisation tables' tensors: small, and kept in full precision."""
    return {key: value for key, value in network.state_dict().items() if key in {"log_tables", "log_slopes"}}


def header_of(data: bytes, source: str) -> tuple[Family, Shape]:
    """Read the family and the architecture from a model file's header."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(len(data) - 8, 100_000):
        raise ModelError(f"{source}: not a safetensors file; name a model written by `batchcomp train`")
    try:
        header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][KEY])
        if header["format"] != FORMAT:
            raise ModelError(f"{source}: format {header['format']!r}, expected {FORMAT!r}; retrain or upgrade")
        name = header.get("family", FIRST_FAMILY)
        if name not in FAMILIES:
            raise ModelError(f"{source}: family {name!r}, expected one of {', '.join(FAMILIES)}; upgrade batchcomp")
        return FAMILIES[name], FAMILIES[name].shape(**header["architecture"])
    except KeyError as error:
        raise ModelError(f"{source}: no model of batchcomp's ({error} is missing); name one that it trained") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{source}: the model's header is damaged ({error}); use an intact copy") from error


def from_bytes(data: bytes, source: str) -> Model:
    """Build the nets of a model file.

    Raises:
        ModelError: the bytes are no model of ours, or its tensors do not fit its architecture.
    """
    family, arch = header_of(data, source)
    if 2 * arch.parameters > len(data):  # float16 is the least; a forged header must not cost memory
        raise ModelError(f"{source}: {len(data):,} bytes do not fit the architecture; use an intact copy")
    network = family.network(arch)
    try:
        tensors = {key: value.float() for key, value in safetensors.torch.load(data).items()}
        network.load_state_dict(tensors)
    except (SafetensorError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{source}: the tensors do not fit the architecture ({reason}); use an intact copy") from error
    if not all(bool(torch.isfinite(value).all()) for value in network.state_dict().values()):
        raise ModelError(f"{source}: the weights are not finite numbers; use an intact copy")
    network.eval().requires_grad_(requires_grad=False)
    return Model(network=network, sha256=hashlib.sha256(data).hexdigest(), name=source)


def load_file(path: Path) -> Model:
    """Load a model from a file, or the shipped one of that name where there is no such file.

    Raises:
        ModelError: the file cannot be read, is too large, or is no model.
    """
    if str(path) in SHIPPED and not path.exists():
        return load_shipped(str(path))
    try:
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise ModelError(f"{path}: larger than {MAX_MODEL_BYTES >> 20} MiB; not a model of ours")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; name a file with --model, or {' or '.join(SHIPPED)}") from error
    return from_bytes(data, str(path))


def load_shipped(name: str = "default") -> Model:
    """Load a model that ships in the package."""
    file = resources.files("batchcomp.models") / SHIPPED[name]
    try:
        return from_bytes(file.read_bytes(), name)
    except FileNotFoundError as error:
        raise ModelError(f"{name}: the shipped weights are missing; reinstall batchcomp") from error


def load_fine(model: Model) -> Model | None:
    """The shipped model that takes over from a shipped model of half size at the finest qualities, if it has one."""
    return load_shipped(FINE[model.name]) if model.name in FINE else None


def load_by_hash(prefix: str, extra: Path | None = None) -> Model:
    """Find the model whose SHA-256 begins with `prefix`: `extra` first, then the shipped ones.

    Raises:
        ModelError: none matches.
    """
    candidates = ([load_file(extra)] if extra else []) + [load_shipped(name) for name in SHIPPED]
    for model in candidates:
        if model.sha256.startswith(prefix):
            return model
    known = ", ".join(f"{model.name} ({model.sha256[:16]})" for model in candidates)
    raise ModelError(f"model {prefix} is needed and not at hand (known: {known}); pass its file with --model FILE")
