"""The formats that pictures are restored to: the one table. A new one is a line here and the file that it names.

Nothing heavy is imported: the command line needs names and suffixes only, and `images.outputs` loads a writer when a
picture is saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
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
    "avif": Output(suffix=".avif", writer="batchcomp.images.outputs.avif:AvifOutput"),
    "jxl": Output(suffix=".jxl", writer="batchcomp.images.outputs.jxl:JxlOutput"),
}
SOURCE: Final = "source"  # each picture's own format, which is its name's
FORMATS: Final = (*OUTPUTS, SOURCE)  # what can be asked for
_AS_JPEG: Final = {".mpo", ".heic", ".heif", ".hif", ".heics", ".heifs"}  # lossy ones that are not written here
_OWN: Final[Mapping[str, str]] = {
    **dict.fromkeys((".jpeg", ".jpe", ".jfif", *_AS_JPEG), "jpeg"), ".apng": "png", ".avifs": "avif",
    **{output.suffix: name for name, output in OUTPUTS.items()},
}  # fmt: skip
SPELLINGS: Final[Mapping[str, str]] = {"jpg": "jpeg"}  # of names, as people type them
DEFAULT_OUTPUT: Final = "png"  # holds the most


def output_for(name: str, *, alpha: bool, path: str = "") -> str:
    """Return the format of one picture where `name`, one of `FORMATS`, was asked for.

    That is `name`, or for `SOURCE` that of the picture's `path`; the default where the picture has an alpha channel
    and the format has none, and where its own format is not written here.
    """
    if name == SOURCE:
        name = _OWN.get(PurePosixPath(path).suffix.lower(), DEFAULT_OUTPUT)
    return DEFAULT_OUTPUT if alpha and not OUTPUTS[name].alpha else name


def suffix_for(name: str, format_name: str, path: str) -> str:
    """Return the suffix of a picture restored as `format_name` where `name` was asked for; its own if that fits."""
    own = PurePosixPath(path).suffix
    keeps = name == SOURCE and _OWN.get(own.lower()) == format_name and own.lower() not in _AS_JPEG
    return own if keeps else OUTPUTS[format_name].suffix
