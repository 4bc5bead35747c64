"""Pictures of an archive in their versions: restored, as stored, and beside the original where that is to be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from batchcomp.archive import ArchiveReader, Row
from batchcomp.codec import jpeg, plain_jpeg
from batchcomp.codec.codec import Codec
from batchcomp.errors import BatchcompError, PictureError
from batchcomp.images.isolated import Decoders
from batchcomp.images.load import read_source
from batchcomp.images.picture import Picture, Pixels
from batchcomp.images.walk import locator
from batchcomp.metrics.ms_ssim import ms_ssim
from batchcomp.pages.views import COMPACT, JPEG, ORIGINAL, OURS, Version, View
from batchcomp.pipeline.entries import Entry, read_entry
from batchcomp.pipeline.records import Failed
from batchcomp.pipeline.restoring import Restorer
from batchcomp.places import Place


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """A picture that cannot be shown, and why; `damage`: the archive is at fault."""

    path: str
    reason: str
    damage: bool = False


def originals_beside(archive: Place) -> tuple[Path, ...]:
    """Return where the originals of an archive most likely are: `photos` beside `photos.bca`; nothing if not there."""
    if not isinstance(archive, Path):
        return ()
    folder = archive.resolve().with_suffix("")
    return (folder,) if archive.suffix and folder.exists() else ()


class Showing:
    """Makes views of the pictures of an archive, as a context manager.

    Args:
        archive: open for reading.
        sources: what `compress` was given, to find the originals; may be empty.
        model: a model of your own, where it was made with one.
        device: auto, cpu, cuda or mps.
        codec: what restores pictures, in place of one that is opened with that model on that device.

    Raises:
        UsageError: one of the sources is missing.
        ModelError: the model file is unusable.
    """

    def __init__(
        self,
        archive: ArchiveReader,
        sources: Sequence[Path],
        *,
        model: Path | None = None,
        device: str = "auto",
        codec: Codec | None = None,
    ) -> None:
        self._archive = archive
        self._locate: Callable[[str], Path | None] = locator(sources) if sources else lambda _: None
        self._restorer = Restorer(codec or Codec.open(model, device=device))
        self._decoders = Decoders(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._decoders.__exit__()

    def has_original(self, row: Row) -> bool:
        """Tell whether there is a file where the original was, whatever it holds now."""
        path = self._locate(row.path)
        return path is not None and path.is_file()

    def view(self, row: Row, group: str) -> View | Unseen:
        """Return a picture in its versions, or why there is nothing to show; see `pages.views`."""
        entry = read_entry(self._archive, row, row.path)
        if not isinstance(entry, Entry):
            damaged = isinstance(entry, Failed) and entry.damage
            return Unseen(path=row.path, reason=getattr(entry, "reason", f"{row.path}: cannot be read"), damage=damaged)
        try:
            restored = self._restorer.picture(entry)
        except BatchcompError as error:
            return Unseen(path=row.path, reason=f"{row.path}: {error}")
        if restored is None or entry.decoded is None:
            return Unseen(path=row.path, reason=f"{row.path}: is stored as it is")
        original, why_not = self._original(row)
        ours = Version(kind=OURS, pixels=restored.pixels, size=row.payload_bytes, ms_ssim=row.ms_ssim, note=why_not)
        compact = Version(kind=COMPACT, pixels=entry.decoded.pixels, size=row.payload_bytes)
        before = list(_beside(row, original)) if original is not None else []
        versions = [*before[:1], ours, *before[1:], compact]
        return View(name=row.path, group=group, versions=versions, metadata=restored.metadata)

    def _original(self, row: Row) -> tuple[Picture | None, str]:
        """Return the original, or why it is not shown."""
        path = self._locate(row.path)
        if path is None or not path.is_file():
            return None, "Its original was not found: --sources names where the originals are."
        try:
            source = read_source(path)
            if source.sha256 != row.source_sha256:
                return None, "Its original changed since it was archived."
            picture = self._decoders.decode(source.data, str(path))
        except PictureError as error:
            return None, f"Its original cannot be read: {error}"
        if (picture.width, picture.height) != (row.width, row.height):
            return None, "Its original has another size than the archive says."
        return picture, ""


def _beside(row: Row, original: Picture) -> Iterator[Version]:
    """Yield the original, and the plain JPEG that it was compared with."""
    yield Version(kind=ORIGINAL, pixels=original.pixels, size=row.source_bytes)
    if row.jpeg is None:
        return
    curve, within = plain_jpeg.JpegCurve(original.pixels), row.payload_bytes - row.metadata_bytes
    # where the archive's figures are estimated, the file that is shown is found and measured anew
    quality = curve.best_within(within) if row.jpeg.within_db else row.jpeg.quality
    pixels, size = plain(original.pixels, quality)
    similarity = ms_ssim(pixels, original.pixels) if row.jpeg.within_db else row.jpeg.ms_ssim
    note = "" if size <= within else "JPEG cannot be as small: its smallest file is shown."
    yield Version(kind=JPEG, pixels=pixels, size=size, ms_ssim=similarity, note=note)


def plain(pixels: Pixels, quality: int) -> tuple[Pixels, int]:
    """Return what plain JPEG makes of pixels at a quality of 1 to 100, and the bytes of its file."""
    data = plain_jpeg.encode(pixels, quality)
    return jpeg.decode(data)[0], len(data)
