"""The codecs that batchcomp is compared with. A new one is a file in this folder and a line in `RIVALS`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

PACE = "avif speed 6"  # what all speeds are held against
SPEEDS: Mapping[str, tuple[str, Mapping[str, int]]] = {  # what is timed -> MODULE:CLASS, and how it is made
    "avif speed 4": (RIVALS["avif"], {"speed": 4}),
    PACE: (RIVALS["avif"], {"speed": 6}),
    "avif speed 8": (RIVALS["avif"], {"speed": 8}),
    "avif speed 9": (RIVALS["avif"], {"speed": 9}),
    "svt-av1 preset 6": ("batchcomp.benchmark.rivals.svtav1:SvtAv1Rival", {"preset": 6}),
    "svt-av1 preset 9": ("batchcomp.benchmark.rivals.svtav1:SvtAv1Rival", {"preset": 9}),
    "jpegxl effort 3": (RIVALS["jpegxl"], {"effort": 3}),
    "jpegxl effort 7": (RIVALS["jpegxl"], {"effort": 7}),
    "webp method 4": (RIVALS["webp"], {"method": 4}),
    "webp method 6": (RIVALS["webp"], {"method": 6}),
    "jpeg": (RIVALS[ANCHOR], {}),
}


def timed_rival(name: str, *, threads: int) -> Rival | None:
    """Return one of `SPEEDS`; None where what it needs is not installed."""
    place, options = SPEEDS[name]
    try:
        rival: Rival = resolve_name(place)(threads=threads, **options)
    except ImportError:
        return None
    return rival


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
