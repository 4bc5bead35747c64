"""The codecs that batchcomp is compared with. A new one is a file in this folder and a line in `RIVALS`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pkgutil import resolve_name

from batchcomp.benchmark.rivals.base import ANCHOR, MOZJPEG, Rival
from batchcomp.errors import UsageError

# name -> MODULE:CLASS, imported when it is asked for; a class is made with `threads`
RIVALS = {
    ANCHOR: "batchcomp.benchmark.rivals.jpeg:JpegRival",
    MOZJPEG: "batchcomp.benchmark.rivals.mozjpeg:MozJpegRival",
    "jpegli": "batchcomp.benchmark.rivals.jpegli:JpegliRival",
    "webp": "batchcomp.benchmark.rivals.webp:WebpRival",
    "avif": "batchcomp.benchmark.rivals.avif:AvifRival",
    "svt-av1": "batchcomp.benchmark.rivals.svtav1:SvtAv1Rival",
    "jpegxl": "batchcomp.benchmark.rivals.jpegxl:JpegXlRival",
}

PACE = "avif speed 6"  # what all speeds are held against
SPEEDS: Mapping[str, tuple[str, Mapping[str, int]]] = {  # what is timed -> MODULE:CLASS, and how it is made
    "avif speed 4": (RIVALS["avif"], {"speed": 4}),
    PACE: (RIVALS["avif"], {"speed": 6}),
    "avif speed 8": (RIVALS["avif"], {"speed": 8}),
    "avif speed 9": (RIVALS["avif"], {"speed": 9}),
    "svt-av1 preset 6": (RIVALS["svt-av1"], {"preset": 6}),
    "svt-av1 preset 9": (RIVALS["svt-av1"], {"preset": 9}),
    "jpegxl effort 3": (RIVALS["jpegxl"], {"effort": 3}),
    "jpegxl effort 7": (RIVALS["jpegxl"], {"effort": 7}),
    "webp method 4": (RIVALS["webp"], {"method": 4}),
    "webp method 6": (RIVALS["webp"], {"method": 6}),
    MOZJPEG: (RIVALS[MOZJPEG], {}),
    "jpegli": (RIVALS["jpegli"], {}),
    "jpeg": (RIVALS[ANCHOR], {}),
}
USUAL: Mapping[str, str] = {  # the speed at which a rival of `RIVALS` runs -> what `SPEEDS` calls it
    "avif": PACE,
    "svt-av1": "svt-av1 preset 6",
    "jpegxl": "jpegxl effort 7",
    "webp": "webp method 6",
}
ALL = "all"  # every rival at every speed


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

    Args:
        names: of `RIVALS`, or of `SPEEDS` for a certain speed; `all` is every one at every speed.
        threads: at most.

    Raises:
        UsageError: A name is unknown, or what a rival needs is not installed.
    """
    return [_made(name, threads) for name in every(names)]


def every(names: Iterable[str]) -> list[str]:
    """Return the names, each once, `all` as what it stands for.

    Raises:
        UsageError: A name is unknown.
    """
    usual = set(USUAL.values())  # the same as the rivals that have no speed in their name
    whole = [*RIVALS, *(name for name in SPEEDS if name not in RIVALS and name not in usual)]
    found = [one for name in names for one in (whole if name == ALL else [name])]
    unknown = [name for name in found if name not in RIVALS and name not in SPEEDS]
    if unknown:
        choice = ", ".join(dict.fromkeys((*RIVALS, *SPEEDS)))
        raise UsageError(f"rival {unknown[0]!r}: expected one of {choice}, or {ALL}")
    return list(dict.fromkeys(found))


def _made(name: str, threads: int) -> Rival:
    place, options = (RIVALS[name], {}) if name in RIVALS else SPEEDS[name]
    named = {"name": name} if name not in RIVALS else {}
    try:
        rival: Rival = resolve_name(place)(threads=threads, **options, **named)
    except ImportError as error:
        raise UsageError(f"{name}: needs {error.name}: run pip install 'batchcomp[bench]'") from error
    return rival
