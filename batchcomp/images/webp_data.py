"""What a WebP file holds beside its picture (RFC 9649), in further chunks and behind the pixels of its bitstreams.

Where a bitstream ends is found out by trial: its decoder takes no picture that lacks its last bytes.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Final

from PIL import WebPImagePlugin

from batchcomp.images.foreign_data import CREDENTIALS, shown_kind, tail_reason
from batchcomp.images.picture import Metadata
from batchcomp.images.riff import chunks
from batchcomp.images.vp8_frame import partitions, with_partition

_KNOWN: Final = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP", b"EXIF", b"XMP "))
_PIXELS: Final = frozenset((b"VP8 ", b"VP8L"))
_ALPHA_FLAG, _RESERVED_FLAGS = 0x10, 0xC1  # of VP8X
_VP8X_BYTES: Final = 10
_SPARE: Final = 3  # bytes that encoders write at most beyond what their decoder needs
_SHORT: Final = 8  # bytes: of a shorter stream nothing can be told


def chunk_reasons(data: bytes, metadata: Metadata) -> Iterator[str]:
    """Yield what a WebP file holds in chunks that are not carried, and behind its end."""
    end = min(8 + int.from_bytes(data[4:8], "little"), len(data))
    found = [(kind, data[start:stop]) for kind, start, stop in chunks(data[:end])]
    kinds = [kind for kind, _ in found]
    held = {b"ICCP": metadata.icc, b"EXIF": metadata.exif, b"XMP ": metadata.xmp}
    for at, (kind, content) in enumerate(found):
        if kind == b"C2PA":
            yield CREDENTIALS
        unread = kind in held and content and not held[kind]
        if kind not in _KNOWN or kind in kinds[:at] or unread or not _has_a_place(kind, kinds, found[0]):
            yield f"chunk {shown_kind(kind)} that no other file holds"
    stop = max((12, *(stop + (stop - start) % 2 for _, start, stop in chunks(data[:end]))))
    yield from tail_reason(data[min(stop, end) :])


def _has_a_place(kind: bytes, kinds: list[bytes], first: tuple[bytes, bytes]) -> bool:
    """Tell whether a decoder looks at a chunk of this kind."""
    extended = first[0] == b"VP8X"
    flags = first[1][0] if extended and first[1] else 0
    if kind in _PIXELS:
        return len(_PIXELS & set(kinds)) == 1
    if kind == b"VP8X":
        return extended and len(first[1]) == _VP8X_BYTES and not flags & _RESERVED_FLAGS and not any(first[1][1:4])
    if kind == b"ALPH":
        return bool(flags & _ALPHA_FLAG) and b"VP8 " in kinds[kinds.index(b"ALPH") :]
    return True


def has_surplus(data: bytes) -> bool:
    """Tell whether a bitstream of a still WebP that can be decoded goes on behind its pixels, but for zeros."""
    found = {kind: data[start:end] for kind, start, end in chunks(data)}
    if (stream := found.get(b"VP8L")) is not None:
        return _is_whole(b"VP8L", _shortened(stream))
    frame = found.get(b"VP8 ", b"")
    try:
        pieces = partitions(frame)
    except ValueError:
        return False
    for at, piece in enumerate(pieces):
        if len(shorter := _shortened(piece)) >= _SHORT and _is_whole(b"VP8 ", with_partition(frame, at, shorter)):
            return True
    return _alpha_has_surplus(found.get(b"ALPH", b""), struct.unpack_from("<HH", frame, 6))


def _alpha_has_surplus(content: bytes, size: tuple[int, int]) -> bool:
    width, height = (side & 0x3FFF for side in size)
    if not content:
        return False
    if content[0] & 3 == 0:  # as it is, one byte a pixel
        return bool(content[1 + width * height :].strip(b"\0"))
    header = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14)  # which a lossless picture has besides
    return _is_whole(b"VP8L", header + _shortened(content[1:]))


def _shortened(stream: bytes) -> bytes:
    return stream.rstrip(b"\0")[: -_SPARE - 1]


def _is_whole(kind: bytes, stream: bytes) -> bool:
    body = b"WEBP" + kind + struct.pack("<I", len(stream)) + stream + bytes(len(stream) % 2)
    try:
        with WebPImagePlugin.WebPImageFile(io.BytesIO(b"RIFF" + struct.pack("<I", len(body)) + body)) as image:
            image.load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True
