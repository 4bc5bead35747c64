"""The formats that pictures are restored to: the one table. A new one is a line here and the file that it names.

Nothing heavy is imported: the command line needs names and suffixes only, and `images.outputs` loads a writer when a
picture is saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Output:
    """One format.

    Attributes:
        suffix: of its files.
        writer: `module:Class` of its `images.outputs.OutputFormat`.
        alpha: whether it has an alpha channel; where it has not, pictures with one are restored to `DEFAULT_OUTPUT`.
    """

    suffix: str
    writer: str
    alpha: bool = True


OUTPUTS: Final[Mapping[str, Output]] = {
    "png": Output(suffix=".png", writer="batchcomp.images.outputs.png:PngOutput"),
    "jpeg": Output(suffix=".jpg", writer="batchcomp.images.outputs.jpeg:JpegOutput", alpha=False),
    "webp": Output(suffix=".webp", writer="batchcomp.images.outputs.webp:WebpOutput"),
}
SPELLINGS: Final[Mapping[str, str]] = {"jpg": "jpeg"}  # of names, as people type them
DEFAULT_OUTPUT: Final = "png"  # holds the most


def output_for(name: str, *, alpha: bool) -> str:
    """Return `name`, or the default where a picture has an alpha channel and the format `name` has none."""
    return DEFAULT_OUTPUT if alpha and not OUTPUTS[name].alpha else name
