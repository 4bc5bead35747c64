"""What qualities look like and cost on a person's own pictures, beside JPEG at the same bytes: `preview`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchcomp.archive.rows import JpegComparison
from batchcomp.codec.codec import Codec
from batchcomp.errors import PictureError
from batchcomp.images.isolated import Decoders
from batchcomp.images.load import read_source
from batchcomp.images.picture import Picture
from batchcomp.pages.archived import plain
from batchcomp.pages.document import as_json, render
from batchcomp.pages.views import COMPACT, JPEG, ORIGINAL, OURS, Version, View, view_data
from batchcomp.pipeline.measure import measure
from batchcomp.report.text import count_of, human, printable
from batchcomp.settings import EXACT

QUALITIES = (20, 40, 55, 70, 85)
VIEW_BYTES = 12_500_000
MOST_BYTES = 3_000_000
SCRIPTS = ("page.js", "viewer.js", "preview.js")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One picture at one quality.

    Attributes:
        quality: as for `compress`.
        size: of the payload in bytes, without metadata, which JPEG is measured without too.
        ms_ssim: of the restored picture.
        jpeg: the best plain JPEG of no more bytes, and the bytes that it takes for the same MS-SSIM; None where the
            picture is too large for a JPEG.
    """

    quality: int
    size: int
    ms_ssim: float
    jpeg: JpegComparison | None

    @property
    def saved(self) -> float | None:
        """The part of JPEG's bytes at the same MS-SSIM that is saved."""
        at_equal = self.jpeg.bytes_at_ms_ssim if self.jpeg else None
        return 1 - self.size / at_equal if at_equal else None


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One picture at all qualities."""

    name: str
    width: int
    height: int
    source_bytes: int
    steps: Sequence[Step]
    view: View

    def bpp(self, step: Step) -> float:
        """Bits a pixel."""
        return step.size * 8 / (self.width * self.height)


@dataclass(frozen=True, kw_only=True)
class Untried:
    """A file that could not be tried, and why."""

    name: str
    reason: str


def try_pictures(
    paths: Iterable[Path],
    qualities: Sequence[int],
    codec: Codec,
    on_step: Callable[[str], None] = lambda _: None,
) -> Iterator[Tried | Untried]:
    """Compress and restore pictures at several qualities, in memory.

    Args:
        paths: files.
        qualities: 1 to 100.
        codec: with the model.
        on_step: is called with what is about to be tried.
    """
    with Decoders(1) as decoders:
        for path in paths:
            on_step(path.name)
            try:
                source = read_source(path)
                picture = decoders.decode(source.data, str(path))
            except PictureError as error:
                yield Untried(name=str(path), reason=str(error))
                continue
            yield _tried(path.name, picture, source.size, _levels(picture, qualities, codec, path.name, on_step))


def _levels(
    picture: Picture, qualities: Sequence[int], codec: Codec, name: str, on_step: Callable[[str], None]
) -> Iterator[tuple[Step, list[Version]]]:
    """Yield what each quality comes to, and its versions."""
    bare = Picture(pixels=picture.pixels)
    for quality in qualities:
        on_step(f"{name}, quality {quality}")
        data = codec.encode(codec.compact([bare], quality)[0])
        decoded = codec.decode(data)
        restored = codec.reconstruct([decoded])[0]
        found = measure(bare, restored, len(data), EXACT)
        step = Step(quality=quality, size=len(data), ms_ssim=found.ms_ssim, jpeg=found.jpeg)
        level = level_of(quality)
        ours = Version(kind=OURS, pixels=restored.pixels, level=level, size=len(data), ms_ssim=found.ms_ssim)
        versions = [ours, Version(kind=COMPACT, pixels=decoded.pixels, level=level, size=len(data))]
        if found.jpeg is not None:
            pixels, size = plain(bare.pixels, found.jpeg.quality)
            versions.append(Version(kind=JPEG, pixels=pixels, level=level, size=size, ms_ssim=found.jpeg.ms_ssim))
        yield step, versions


def level_of(quality: int) -> str:
    """Return how the viewer calls a quality."""
    return f"quality {quality}"


def _tried(name: str, picture: Picture, size: int, levels: Iterable[tuple[Step, list[Version]]]) -> Tried:
    steps: list[Step] = []
    versions = [Version(kind=ORIGINAL, pixels=picture.pixels, size=size)]
    for step, more in levels:
        steps.append(step)
        versions += more
    names = [level_of(step.quality) for step in steps]
    start = names[len(names) // 2]
    view = View(name=name, group="pictures", versions=versions, metadata=picture.metadata, levels=names, start=start)
    return Tried(name=name, width=picture.width, height=picture.height, source_bytes=size, steps=steps, view=view)


def preview_html(tried: Sequence[tuple[Tried, dict[str, Any], dict[str, Any]]]) -> str:
    """Return the page of pictures with what `view_data` made of them."""
    pictures = [one for one, _, _ in tried]
    return render(
        "preview.html.j2",
        scripts=SCRIPTS,
        title=title_of(pictures),
        summary="What each quality looks like and costs, beside JPEG at the same bytes. Choose the lowest one at which "
        "you see no difference, and give it to batchcomp compress with -q.",
        headings=HEADINGS,
        pictures=[_table(one, number) for number, one in enumerate(pictures)],
        abouts=as_json({"groups": {"pictures": ""}, "views": [about for _, about, _ in tried]}),
        views=[as_json(view) for _, _, view in tried],
    )


def title_of(pictures: Sequence[Tried]) -> str:
    """Return how the page and the sheet are headed."""
    return printable(pictures[0].name) if len(pictures) == 1 else f"Preview of {count_of(len(pictures), 'picture')}"


def data_of(tried: Tried, number: int, count: int) -> tuple[Tried, dict[str, Any], dict[str, Any]]:
    """Return a picture with what the page holds of it, one of `count`; its pixels can go then."""
    about, view = view_data(tried.view, number, min(MOST_BYTES, VIEW_BYTES // count))
    return tried, about, view


def _table(one: Tried, number: int) -> dict[str, Any]:
    """Return what the template shows of a picture."""
    return {
        "number": number,
        "name": printable(one.name),
        "about": f"{one.width} \N{MULTIPLICATION SIGN} {one.height} pixels, {human(one.source_bytes)}",
        "steps": [
            {
                "quality": step.quality,
                "level": level_of(step.quality),
                "cells": cells(one, step),
                "better": step.jpeg is None or step.ms_ssim > step.jpeg.ms_ssim,
            }
            for step in one.steps
        ],
    }


HEADINGS = ("Bytes", "Part of the source", "bpp", "MS-SSIM", "JPEG, same bytes", "JPEG, same MS-SSIM", "Saved")


def cells(one: Tried, step: Step) -> list[str]:
    """Return the figures of a step, as `HEADINGS` names them; "Saved" is against JPEG at the same MS-SSIM."""
    jpeg, saved = step.jpeg, step.saved
    at_equal = jpeg.bytes_at_ms_ssim if jpeg else None
    return [
        human(step.size),
        f"{step.size / one.source_bytes:.0%}".replace("%", " %"),
        f"{one.bpp(step):.3f}",
        f"{step.ms_ssim:.4f}",
        f"{jpeg.ms_ssim:.4f}" if jpeg else "-",
        human(at_equal) if at_equal else "-",
        "-" if saved is None else f"{round(saved * 100)} %",
    ]
