"""One picture in its versions, as the viewer of a page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from batchcomp.images.orientation import turned
from batchcomp.images.picture import Metadata, Pixels
from batchcomp.metrics.ssim_map import ssim_map
from batchcomp.pages import images
from batchcomp.report.text import printable

ORIGINAL, OURS, JPEG, COMPACT = "original", "batchcomp", "jpeg", "compact"
NAMES = {ORIGINAL: "Original", OURS: "batchcomp", JPEG: "JPEG, same bytes", COMPACT: "Compact JPEG"}


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a picture.

    Attributes:
        kind: `ORIGINAL`, `OURS`, `JPEG` or `COMPACT`.
        pixels: uint8 (h, w, 3 or 1), smaller than the original for `COMPACT` only.
        level: what it was made with, where a view has several: "q 55"; else "".
        size: of its file in bytes, None where it has none.
        ms_ssim: against the original, None where that is not to be had.
        note: a remark that a person should read beside it, or "".
    """

    kind: str
    pixels: Pixels
    level: str = ""
    size: int | None = None
    ms_ssim: float | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class View:
    """A picture to look at: its name, why it is shown, and its versions, all of one orientation."""

    name: str
    group: str
    versions: Sequence[Version]
    metadata: Metadata = field(default_factory=Metadata)
    levels: Sequence[str] = ("",)
    start: str = ""  # the level to begin with


def view_data(view: View, number: int, budget: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a page holds of a view: a small part to list it, and the pictures, which take `budget` bytes or so.

    The part of the picture that is shown is the one where the first version of `OURS` is least like the original.
    """
    whole = view.versions[0].pixels
    height, width = whole.shape[:2]
    turn, icc = images.orientation_of(view.metadata), view.metadata.icc
    box = detail_box(view)
    original = next((one for one in view.versions if one.kind == ORIGINAL), None)
    cuts = [images.cut(one.pixels, box, of=(width, height)) for one in view.versions]
    pictures, quality = images.encoded_within(
        {str(n): turned(images.to_image(part), turn) for n, part in enumerate(cuts)}, budget, icc
    )
    shown = images.upright_box(box, (width, height), turn)
    sides = (height, width) if turn >= 5 else (width, height)
    about = {
        "id": number,
        "name": printable(view.name),
        "group": view.group,
        "thumb": images.thumbnail(whole, turn, icc),
        "size": sides,
        "box": [shown.left, shown.top, shown.width, shown.height],
        "levels": list(view.levels),
        "start": view.start or view.levels[0],
        "shown": quality,
    }
    there = next((part for part, one in zip(cuts, view.versions, strict=True) if one is original), None)
    versions = [
        _version(one, pictures[str(n)], _heat(one, part, there, turn))
        for n, (one, part) in enumerate(zip(view.versions, cuts, strict=True))
    ]
    return about, {"versions": versions}


def detail_box(view: View) -> images.Box:
    """Return the part to show, where the first version of `OURS` is least like the original; see `images.worst_box`."""
    original = next((one.pixels for one in view.versions if one.kind == ORIGINAL), None)
    ours = next(one.pixels for one in view.versions if one.kind == OURS)
    height, width = ours.shape[:2]
    if original is None:
        unlike = np.zeros((-(-height // images.BLOCK), -(-width // images.BLOCK)), np.float32)
    else:
        unlike = 1 - ssim_map(ours, original, images.BLOCK)
    return images.worst_box(unlike, width, height)


def _heat(one: Version, part: Pixels, original: Pixels | None, turn: int) -> str | None:
    """Return the map of a version's part, None for the original and for what is smaller."""
    if original is None or part.shape != original.shape or one.kind == ORIGINAL:
        return None
    return images.heat(1 - ssim_map(part, original, images.BLOCK), turn)


def _version(one: Version, uri: str, heat: str | None) -> dict[str, Any]:
    height, width = one.pixels.shape[:2]
    return {
        "kind": one.kind,
        "level": one.level,
        "label": NAMES[one.kind],
        "bytes": one.size,
        "ms_ssim": None if one.ms_ssim is None else round(one.ms_ssim, 5),
        "size": [width, height],
        "note": printable(one.note),
        "src": uri,
        "map": heat,
    }
