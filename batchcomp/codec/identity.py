"""What pixels were computed with, in words: what may round differently elsewhere, and nothing else."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import PIL
import torch
from PIL import features


@cache
def jpeg_decoder() -> str:
    """Return what decodes JPEG files: libraries differ by single steps."""
    turbo = features.version("libjpeg_turbo")
    return f"pillow {PIL.__version__} with {f'libjpeg-turbo {turbo}' if turbo else 'libjpeg'}"


def identity(engine: str, device: torch.device) -> str:
    """Return what restores pictures: engine, versions, the processor's kind, and what decodes JPEG files.

    Args:
        engine: the name of the engine.
        device: where it runs.
    """
    ncnn = f", ncnn {_version('ncnn')}" if engine.startswith("ncnn") else ""
    return f"{engine}{ncnn}, torch {torch.__version__}, {_processor(device.type)}, {jpeg_decoder()}"[:200]


@cache
def _processor(device: str) -> str:
    if device == "cuda":
        return str(torch.cuda.get_device_name())
    if device == "cpu":
        return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
    return platform.machine()


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
