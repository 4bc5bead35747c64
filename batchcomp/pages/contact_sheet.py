"""A contact sheet: parts of pictures at several qualities beside JPEG at the same bytes, as one PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from batchcomp.images.orientation import turned
from batchcomp.pages import images
from batchcomp.pages.preview import Step, Tried, level_of
from batchcomp.pages.views import JPEG, ORIGINAL, OURS, Version, detail_box
from batchcomp.report.text import human, printable

CELL = (384, 256)  # pixels of a part
GAP, LINE = 12, 20
PAPER, INK, QUIET = "#f7f6f2", "#1b1d1c", "#5b5a53"


def contact_sheet(tried: Sequence[Tried]) -> bytes:
    """Return a PNG: a block a picture, in it the original and, for each quality, batchcomp and JPEG, pixel by pixel."""
    columns = 1 + max(len(one.steps) for one in tried)
    block = 2 * (CELL[1] + LINE) + GAP + LINE + 2 * GAP
    width, height = columns * (CELL[0] + GAP) + GAP, len(tried) * block + GAP
    sheet = Image.new("RGB", (width, height), PAPER)
    for number, one in enumerate(tried):
        _draw_block(sheet, one, GAP + number * block)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _draw_block(sheet: Image.Image, one: Tried, top: int) -> None:
    draw = ImageDraw.Draw(sheet)
    font, bold = ImageFont.load_default(13), ImageFont.load_default(15)
    title = f"{printable(one.name)}   {one.width} x {one.height} pixels, {human(one.source_bytes)}"
    draw.text((GAP, top), title, INK, bold)
    top += LINE + GAP // 2
    part = _Part(one)
    part.paste(sheet, part.version(ORIGINAL, ""), (GAP, top))
    draw.text((GAP, top + CELL[1] + 2), "original", QUIET, font)
    for column, step in enumerate(one.steps, 1):
        left = GAP + column * (CELL[0] + GAP)
        for row, kind in enumerate((OURS, JPEG)):
            at = top + row * (CELL[1] + LINE + GAP // 2)
            version = part.version(kind, level_of(step.quality))
            if version is not None:
                part.paste(sheet, version, (left, at))
                draw.text((left, at + CELL[1] + 2), _caption(step, version), INK if row == 0 else QUIET, font)


def _caption(step: Step, version: Version) -> str:
    name = f"quality {step.quality}" if version.kind == OURS else "JPEG"
    return f"{name}: {human(version.size or 0)}, MS-SSIM {version.ms_ssim or 0:.4f}"


class _Part:
    """The same part of all versions of a picture."""

    def __init__(self, one: Tried) -> None:
        self._versions = one.view.versions
        whole = detail_box(one.view)
        size = (one.width, one.height)
        wide, high = min(CELL[0], size[0]), min(CELL[1], size[1])
        turn = images.orientation_of(one.view.metadata)
        if turn >= 5:
            wide, high = min(CELL[1], size[0]), min(CELL[0], size[1])
        left = min(whole.left + max(0, whole.width - wide) // 2, size[0] - wide)
        top = min(whole.top + max(0, whole.height - high) // 2, size[1] - high)
        self._box, self._size, self._turn = images.Box(left=left, top=top, width=wide, height=high), size, turn

    def version(self, kind: str, level: str) -> Version | None:
        return next((one for one in self._versions if one.kind == kind and one.level == level), None)

    def paste(self, sheet: Image.Image, version: Version | None, at: tuple[int, int]) -> None:
        if version is not None:
            pixels = images.cut(version.pixels, self._box, of=self._size)
            sheet.paste(turned(images.to_image(pixels), self._turn), at)
