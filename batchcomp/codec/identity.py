"""What pixels were computed with, in words: what may round differently elsewhere, and nothing else."""

from __future__ import annotations

import platform
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import PIL
from PIL import features

from batchcomp.codec.device import Device

# By numpy's names, the widest first: what kernels are chosen by.
_INSTRUCTIONS: Final = {
    "AVX512F": "AVX-512", "AVX2": "AVX2", "AVX": "AVX", "SSE42": "SSE4.2", "SVE": "SVE", "NEON": "NEON", "VSX": "VSX",
}  # fmt: skip


@cache
def jpeg_decoder() -> str:
    """Return what decodes JPEG files: libraries differ by single steps."""
    turbo = features.version("libjpeg_turbo")
    return f"libjpeg-turbo {turbo}" if turbo else f"pillow {PIL.__version__} with libjpeg"


def identity(engine: str, device: Device) -> str:
    """Return what restores pictures: engine and its version, the processor's kind, and what decodes JPEG files.

    Args:
        engine: the name of the engine.
        device: where it runs.
    """
    package = "ncnn" if engine.startswith("ncnn") else "torch"
    return f"{engine.replace(package, f'{package} {_version(package)}', 1)}, {_processor(device)}, {jpeg_decoder()}"[
        :200
    ]


def instructions() -> str:
    """Return the widest set of vector instructions that this processor has, "none" where numpy knows of none."""
    found = _features()
    return next((name for key, name in _INSTRUCTIONS.items() if found.get(key)), "none")


def _features() -> dict[str, bool]:
    try:
        found: dict[str, bool] = import_module("numpy._core._multiarray_umath").__cpu_features__
    except (ImportError, AttributeError):  # numpy names them nowhere else
        return {}
    return found


@cache
def _processor(device: Device) -> str:
    if device.type == "cuda":
        import torch  # noqa: PLC0415  (it computes already)

        return str(torch.cuda.get_device_name())
    if device.type == "cpu":
        return f"{platform.machine()} {instructions()}"
    return platform.machine()


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
