"""How a picture can be stored: the one table of kinds. A new one is a line here and the file that its `reader` names.

Nothing heavy is imported: the archive needs codes and suffixes only, the command line names, and `codec.inner` loads a
reader when a payload asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One way to store a picture.

    Attributes:
        code: what stands for it in an entry's recovery field (docs/format.md), never used for another kind.
        suffix: what its entry's name adds to the picture's path.
        reader: `module:Class` of its `codec.inner.Reader`; "" for bytes that are given back as they are.
        networks: whether the networks restore it from a compact picture.
        exact: whether it gives back the very pixels.
        same_everywhere: whether its compact picture is decoded to the same pixels on every machine.
        codec: the name after `--codec` of the inner codec that writes it, "" where that is not how it is chosen.
    """

    code: int
    suffix: str
    reader: str = ""
    networks: bool = False
    exact: bool = False
    same_everywhere: bool = False
    codec: str = ""


KINDS: Final[Mapping[str, Kind]] = {
    "compact": Kind(
        code=1,
        suffix=".jpg",
        reader="batchcomp.codec.inner.jpeg:Jpeg",
        networks=True,
        codec="jpeg",
        same_everywhere=True,  # 4:4:4 by the slow integer DCT: all of libjpeg and libjpeg-turbo agree to the bit
    ),
    "packed": Kind(
        code=4, suffix=".jpg.bcp", reader="batchcomp.codec.inner.packed:Packed", networks=True, same_everywhere=True
    ),
    "compact-avif": Kind(code=5, suffix=".avif", reader="batchcomp.codec.inner.avif:Avif", networks=True, codec="avif"),
    "jpeg": Kind(code=3, suffix=".jpg", reader="batchcomp.codec.inner.plain:PlainJpeg"),
    "webp": Kind(code=6, suffix=".webp", reader="batchcomp.codec.inner.lossless:Lossless", exact=True),
    "png": Kind(code=7, suffix=".png", reader="batchcomp.codec.inner.lossless:Lossless", exact=True),
    "verbatim": Kind(code=2, suffix="", exact=True),
}
VERBATIM: Final = "verbatim"
COMPACT: Final = frozenset(name for name, kind in KINDS.items() if kind.networks)
LOSSLESS: Final = frozenset(name for name, kind in KINDS.items() if kind.exact and kind.reader)
CODECS: Final = {kind.codec: name for name, kind in KINDS.items() if kind.codec}  # inner codec -> the kind it writes
