"""The codecs that batchcomp is compared with. A new one is a file in this folder and a line in `RIVALS`."""

from __future__ import annotations

from collections.abc import Iterable
from pkgutil import resolve_name

from batchcomp.benchmark.rivals.base import ANCHOR, Rival
from batchcomp.errors import UsageError

# name -> MODULE:CLASS, imported when it is asked for; a class is made with `threads`
RIVALS = {
    ANCHOR: "batchcomp.benchmark.rivals.jpeg:JpegRival",
    "webp": "batchcomp.benchmark.rivals.webp:WebpRival",
    "avif": "batchcomp.benchmark.rivals.avif:AvifRival",
    "jpegxl": "batchcomp.benchmark.rivals.jpegxl:JpegXlRival",
}


def make_rivals(names: Iterable[str] = tuple(RIVALS), *, threads: int = 1) -> list[Rival]:
    """Return the rivals of these names, each of which may use that many threads where its library can.

    Raises:
        UsageError: A name is unknown.
    """
    names = list(names)
    unknown = [name for name in names if name not in RIVALS]
    if unknown:
        raise UsageError(f"rival {unknown[0]!r}: expected one of {', '.join(RIVALS)}")
    return [resolve_name(RIVALS[name])(threads=threads) for name in names]
