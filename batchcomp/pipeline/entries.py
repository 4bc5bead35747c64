"""One entry of an archive, read and checked against its row: its compact picture, its picture, or its bytes."""

from __future__ import annotations

from dataclasses import dataclass

from batchcomp.archive import Archive
from batchcomp.archive.rows import Row
from batchcomp.codec import jpeg
from batchcomp.codec.codec import Codec
from batchcomp.codec.compact import Decoded
from batchcomp.codec.inner import codec_of
from batchcomp.errors import ArchiveDamagedError, ArchiveError, PayloadError, PictureError
from batchcomp.images.alpha import channel
from batchcomp.images.load import decode_picture
from batchcomp.images.picture import Metadata, Picture
from batchcomp.kinds import COMPACT, LOSSLESS, VERBATIM
from batchcomp.pipeline.records import Event, Failed


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry in memory. Exactly one of `decoded` (the networks restore it), `picture` and `data` (as it is) is set.

    `target` is the name under which it is to be restored.
    """

    row: Row
    target: str
    data: bytes = b""
    decoded: Decoded | None = None
    picture: Picture | None = None


def read_entry(archive: Archive, row: Row, target: str) -> Entry | Event:
    """Read one entry and check it against its row; a `Failed` event where it is damaged or of an unknown kind."""
    try:
        data = archive.read(row)
        if row.stored == VERBATIM:
            return Entry(row=row, target=target, data=data)
        if row.stored == "jpeg":
            return Entry(row=row, target=target, picture=plain_picture(data, row))
        if row.stored in LOSSLESS:
            return Entry(row=row, target=target, picture=lossless_picture(data, row))
        if row.stored not in COMPACT:
            reason = f"{row.path}: stored as {row.stored!r}, which this build cannot decode; upgrade batchcomp"
            return Failed(name=row.path, reason=reason)
        header = codec_of(data).header(data)
        if (header.width, header.height) != (row.width, row.height):
            raise ArchiveDamagedError(f"{row.entry}: the payload's size is not the manifest's; use an intact copy")
        decoded = Codec.decode(data)
        check_alpha(decoded.metadata, (row.width, row.height))
    except (ArchiveError, PayloadError) as error:
        reason = str(error) if row.path in str(error) else f"{row.path}: {error}"
        return Failed(name=row.path, reason=reason, damage=True)
    return Entry(row=row, target=target, decoded=decoded)


def plain_picture(data: bytes, row: Row) -> Picture:
    """The picture of a plain JPEG entry.

    Raises:
        PayloadError: it is damaged, or not of the row's size.
    """
    pixels, metadata = jpeg.decode(data, expected=(row.width, row.height))
    check_alpha(metadata, (row.width, row.height))
    return Picture(pixels=pixels, metadata=metadata)


def lossless_picture(data: bytes, row: Row) -> Picture:
    """The picture of a lossless entry.

    Raises:
        PayloadError: it is damaged, or not of the row's size.
    """
    try:
        picture = decode_picture(data, row.path)
    except PictureError as error:
        raise PayloadError(str(error)) from error
    if (picture.width, picture.height) != (row.width, row.height):
        size = f"{picture.width}x{picture.height}"
        raise PayloadError(f"the entry is {size}, the manifest says otherwise; use an intact copy")
    return picture


def check_alpha(metadata: Metadata, size: tuple[int, int]) -> None:
    """Raise PayloadError where there is an alpha channel that is damaged or not of `size` (width, height)."""
    if metadata.alpha:
        try:
            channel(metadata.alpha, size)
        except PictureError as error:
            raise PayloadError(str(error)) from error
