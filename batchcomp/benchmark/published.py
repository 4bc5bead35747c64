"""Curves that others published of their codecs on the 24 Kodak pictures; the file names where each is from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from batchcomp.benchmark.compare import MeanPoint
from batchcomp.benchmark.plot import read_published

SOURCE: Final = "figures of CompressAI and shallow-ntc for Kodak (github.com/InterDigitalInc, github.com/mandt-lab)"
_KODAK: Final = {f"kodim{number:02}.png" for number in range(1, 25)}
_ALL_BUT_THE_MODEL: Final = re.compile(r"^(compressai|paper)-|_cuda$")


def published(own: Path | None = None) -> Mapping[str, Sequence[MeanPoint]]:
    """Return the curves by a short name of the codec and of what it was trained for.

    Args:
        own: another file of the same form, see `plot.read_published`; None: ours.

    Raises:
        UsageError: the file has another form.
    """
    if own is not None:
        return read_published(own)
    with as_file(files("batchcomp.benchmark").joinpath("published.json")) as path:
        return {_short(name): curve for name, curve in read_published(path).items()}


def are_kodak(pictures: Sequence[str]) -> bool:
    """Tell whether the curves of these pictures may stand beside published ones: they are the same 24."""
    return {Path(name).name for name in pictures} == _KODAK


def _short(name: str) -> str:
    found = _ALL_BUT_THE_MODEL.sub("", name)
    found = _ALL_BUT_THE_MODEL.sub("", found)
    return found.replace("_ms-ssim", ", for MS-SSIM").replace("_mse", ", for MSE")
