"""Pictures of an archive as browsers show and save them: small, restored, as stored, and beside the original."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from PIL import Image

from batchcomp.archive import ArchiveReader, Row
from batchcomp.codec.codec import Codec
from batchcomp.codec.glimpse import glimpse
from batchcomp.errors import ArchiveError, BatchcompError, PictureError, UnsupportedPictureError
from batchcomp.images.alpha import channel
from batchcomp.images.isolated import Decoders
from batchcomp.images.orientation import turned
from batchcomp.images.outputs import output_format
from batchcomp.images.picture import Metadata, Picture
from batchcomp.images.pillow_array import to_image
from batchcomp.images.pillow_warnings import ignore_pillow_warnings
from batchcomp.kinds import COMPACT, KINDS, VERBATIM
from batchcomp.outputs import OUTPUTS
from batchcomp.pages.archived import Showing, Unseen
from batchcomp.pages.images import orientation_of
from batchcomp.pages.views import view_data
from batchcomp.pipeline.entries import Entry, read_entry
from batchcomp.pipeline.records import Failed
from batchcomp.pipeline.restoring import Restorer
from batchcomp.report.text import printable
from batchcomp.serve.shared_work import Result

THUMB: Final = 360  # pixels of a thumbnail's longer side
COMPARED_BYTES: Final = 4_000_000  # of the versions that are compared
PNG, JPEG, WEBP, BINARY = "image/png", "image/jpeg", "image/webp", "application/octet-stream"
_TYPES: Final = {"png": PNG, "jpeg": JPEG, "webp": WEBP}
FORMATS: Final = tuple(name for name in _TYPES if name in OUTPUTS)  # that a picture can be saved as
_STORED: Final = {"compact": JPEG, "jpeg": JPEG, "webp": WEBP, "png": PNG, "compact-avif": "image/avif"}
_STARTS: Final = {b"\x89PNG\r\n\x1a\n": PNG, b"\xff\xd8\xff": JPEG, b"GIF87a": "image/gif", b"GIF89a": "image/gif"}
_LARGEST_AS_IT_IS: Final = 3_000_000  # bytes of a file that may stand for its own thumbnail
_CHECKERS: Final = ((210, 210, 210), (240, 240, 240))  # where a picture is transparent
_LARGEST_ICC: Final = 16_000  # bytes of a colour profile that goes with a thumbnail


class Pictures:
    """Makes what is shown of an archive's rows. Any number of threads may use it.

    Args:
        archive: open for reading.
        codec: restores pictures.
        sources: where the originals are, as `compress` was given them; may be empty.
        decoders: processes that decode files which were stored as they are.

    Raises:
        UsageError: one of the sources is missing.
    """

    def __init__(self, archive: ArchiveReader, codec: Codec, sources: Sequence[Path], decoders: Decoders) -> None:
        self._archive, self._codec, self._decoders = archive, codec, decoders
        self._restorer = Restorer(codec)
        self._showing = Showing(archive, sources, codec=codec)
        self._comparing = threading.Lock()

    def close(self) -> None:
        """End the processes that decode."""
        self._showing.__exit__()

    def thumbnail(self, row: Row) -> Result:
        """Return a JPEG of at most `THUMB` pixels a side, upright.

        Raises:
            PictureError: there is nothing to show; the message says why.
        """
        data = self._read(row)
        try:
            picture = self._glimpse(row, data)
        except UnsupportedPictureError:
            if len(data) <= _LARGEST_AS_IT_IS and (kind := kind_of(data)):
                return Result(kind, data)  # browsers make it smaller themselves
            raise
        image = Image.fromarray(picture.pixels[:, :, 0] if picture.mode == "L" else picture.pixels)
        image.thumbnail((THUMB, THUMB), Image.Resampling.BILINEAR, reducing_gap=2)
        if picture.metadata.alpha:
            alpha = channel(picture.metadata.alpha, (row.width, row.height)).resize(image.size, Image.Resampling.BOX)
            image = Image.composite(image.convert("RGB"), _checkers(image.size), alpha)
        return Result(JPEG, _jpeg(turned(image, orientation_of(picture.metadata)), picture.metadata, 80))

    def _read(self, row: Row) -> bytes:
        try:
            return self._archive.read(row)
        except ArchiveError as error:
            raise PictureError(str(error)) from error

    def _glimpse(self, row: Row, data: bytes) -> Picture:
        if row.stored not in KINDS:
            raise PictureError(f"stored as {row.stored!r}, which this build cannot decode; upgrade batchcomp")
        if row.stored == VERBATIM:
            return self._decoders.decode(data, row.path)
        return glimpse(row.stored, data, (row.width, row.height), THUMB)

    def restored(self, row: Row) -> Picture:
        """Return the picture in full size.

        Raises:
            PictureError: it cannot be restored; the message says why.
        """
        entry = read_entry(self._archive, row, row.path)
        if not isinstance(entry, Entry):
            raise PictureError(entry.reason if isinstance(entry, Failed) else "cannot be read")
        picture = self._restorer.picture(entry)
        return self._decoders.decode(entry.data, row.path) if picture is None else picture

    def view(self, row: Row) -> Result:
        """Return the restored picture for a browser's window: upright, without EXIF. Errors: see `restored`."""
        try:
            picture = self.restored(row)
        except UnsupportedPictureError:
            data = self._read(row)
            if kind := kind_of(data):
                return Result(kind, data)
            raise
        image = turned(to_image(picture), orientation_of(picture.metadata))
        if not picture.metadata.alpha and max(image.size) <= output_format("jpeg").max_side:
            return Result(JPEG, _jpeg(image, picture.metadata, 92, subsampling=0, largest_icc=1 << 24))
        buffer = io.BytesIO()
        if max(image.size) <= output_format("webp").max_side:
            image.save(buffer, "WEBP", quality=92, method=1, icc_profile=picture.metadata.icc)
            return Result(WEBP, buffer.getvalue())
        image.save(buffer, "PNG", compress_level=1, icc_profile=picture.metadata.icc)
        return Result(PNG, buffer.getvalue())

    def download(self, row: Row, name: str) -> Result:
        """Return the file that `decode --format NAME` writes. Errors: see `restored`, and what the format cannot hold.

        Args:
            row: of the picture.
            name: one of `FORMATS`.
        """
        picture, output = self.restored(row), output_format(name)
        if max(picture.width, picture.height) > output.max_side:
            raise PictureError(f"{picture.width} x {picture.height} pixels are too many for {name}; choose png")
        if picture.metadata.alpha and not OUTPUTS[name].alpha:
            raise PictureError(f"{name} has no alpha channel; choose png or webp")
        buffer = io.BytesIO()
        with ignore_pillow_warnings():
            output.write(picture, buffer)
        return Result(_TYPES[name], buffer.getvalue())

    def stored(self, row: Row) -> Result:
        """Return the entry as it is; only kinds that browsers show safely say what they are.

        Raises:
            PictureError: it is damaged.
        """
        return Result(_STORED.get(row.stored, BINARY), self._read(row))

    def has_original(self, row: Row) -> bool:
        """Tell whether there is a file where the original was."""
        return self._showing.has_original(row)

    def compared(self, row: Row) -> Result:
        """Return JSON for the viewer: the restored picture, the compact one, and the original and JPEG if to be had.

        Raises:
            PictureError: there is nothing to compare.
        """
        if row.stored not in COMPACT:
            raise PictureError("is not restored by the networks; there is nothing to compare")
        with self._comparing:  # each takes several pictures in memory
            view = self._showing.view(row, "")
        if isinstance(view, Unseen):
            raise PictureError(view.reason)
        about, versions = view_data(view, 0, COMPARED_BYTES)
        return Result("application/json", json.dumps({"about": about, **versions}, allow_nan=False).encode())


def kind_of(data: bytes) -> str:
    """Return the media type of a file by its first bytes, "" for what browsers do not show as a picture.

    No type with scripts in it, such as SVG, is among them.
    """
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return WEBP
    return next((kind for start, kind in _STARTS.items() if data.startswith(start)), "")


def formats_of(row: Row) -> list[str]:
    """Return the formats that the picture can be saved in; a source that is stored as it is comes back as it is."""
    if row.stored == VERBATIM or row.stored not in KINDS:
        return []
    return [name for name in FORMATS if OUTPUTS[name].alpha or not row.mode.endswith("A")]


def shows_stored(stored: str) -> bool:
    """Tell whether browsers show an entry of this kind as it is."""
    return stored in _STORED


def stored_name(row: Row) -> str:
    """Return what the entry is called as a file."""
    return PurePosixPath(row.natural_entry).name


def saved_name(row: Row, name: str) -> str:
    """Return what the restored picture is called as a file of a format."""
    suffix = OUTPUTS[name].suffix
    return PurePosixPath(row.path).stem + suffix


def reason_of(row: Row | None, error: BaseException) -> str:
    """Return an error's message without the picture's name, which stands beside it anyway."""
    text = str(error) if isinstance(error, BatchcompError) else "not enough memory, or no room for temporary files"
    return printable(text.removeprefix(f"{row.path}: ") if row else text)


def _jpeg(
    image: Image.Image, metadata: Metadata, quality: int, *, subsampling: int = 2, largest_icc: int = _LARGEST_ICC
) -> bytes:
    icc = metadata.icc if len(metadata.icc) <= largest_icc else b""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling=subsampling, icc_profile=icc)
    return buffer.getvalue()


def _checkers(size: tuple[int, int], side: int = 12) -> Image.Image:
    """Return the pattern that shows through where a picture is transparent."""
    tile = Image.new("RGB", (2, 2), _CHECKERS[0])
    tile.putpixel((0, 0), _CHECKERS[1])
    tile.putpixel((1, 1), _CHECKERS[1])
    small = Image.new("RGB", (-(-size[0] // side), -(-size[1] // side)))
    for left in range(0, small.width, 2):
        for top in range(0, small.height, 2):
            small.paste(tile, (left, top))
    return small.resize((small.width * side, small.height * side), Image.Resampling.NEAREST).crop((0, 0, *size))
