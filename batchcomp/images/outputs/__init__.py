"""The output formats: how each file holds what a picture carries, and what it has no place for.

The table is `batchcomp.outputs`; here its lines become writers, one module a format.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, cast

from batchcomp.images.outputs.base import PROFILE, OutputFormat, carried
from batchcomp.images.picture import Metadata, Picture
from batchcomp.outputs import OUTPUTS

__all__ = ["OutputFormat", "left_out", "options", "output_format"]


@cache
def output_format(name: str) -> OutputFormat:
    """Return the writer of the format `name`, a key of `OUTPUTS`."""
    module, _, writer = OUTPUTS[name].writer.partition(":")
    return cast("OutputFormat", getattr(import_module(module), writer)())


def options(format_name: str, metadata: Metadata) -> dict[str, Any]:
    """Return Pillow's save options for the format, with the metadata.

    Raises:
        ValueError: PIL was built without the format.
    """
    return output_format(format_name).options(metadata)


def left_out(picture: Picture, format_name: str) -> tuple[str, ...]:
    """Name what `picture` carries that a file of the format has no place for; the archive still holds it."""
    output = output_format(format_name)
    missing = tuple(what for what in carried(picture) if what not in output.holds)
    return missing if output.keeps_profile or not picture.metadata.icc else (*missing, PROFILE)
