"""One file to one picture in memory, within limits; every failure is a `PictureError` that names the file.

A sound picture that the codec cannot carry is an `UnsupportedPictureError`, raised only after the picture was decoded,
so that a damaged one is never taken for it; what no decoder here reads, though it is sound for all one can see, too.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, features

from batchcomp.errors import NotAPictureError, PictureError
from batchcomp.images import alpha, foreign_data, holes, jpeg_damage, jpeg_scans, jxl, large_jpeg, surplus
from batchcomp.images.exotic import exotic_kind, exotic_reason, tiff_compression
from batchcomp.images.faithful import unsupported_reason
from batchcomp.images.formats import (
    JPEG,
    NO_PICTURE,
    RAW_FILE,
    SIGNATURE_BYTES,
    Format,
    foreign,
    has_picture_suffix,
    recognise,
)
from batchcomp.images.metadata import read_metadata
from batchcomp.images.names import shown
from batchcomp.images.orientation import loaded_as_stored
from batchcomp.images.other_files import is_video, verbatim_hint, what
from batchcomp.images.picture import Picture, Pixels
from batchcomp.images.pillow_array import Memory, pixels_of, plain_memory
from batchcomp.images.pillow_warnings import ignore_pillow_warnings
from batchcomp.images.png_chunks import png_chunks
from batchcomp.images.provider import provider
from batchcomp.images.raw import RAW
from batchcomp.images.refusals import check_limits, check_metadata, damaged, refused, unsupported
from batchcomp.settings import DEFAULT_LIMITS, Limits

# All that Pillow has been seen to raise on damaged or hostile content.
_DECODER_ERRORS = (
    OSError, SyntaxError, ValueError, struct.error, zlib.error, EOFError, IndexError, KeyError, TypeError,
    AttributeError, AssertionError, ArithmeticError, MemoryError, RuntimeError, SystemError,
    Image.DecompressionBombError,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Source:
    """The bytes of one file as they were read at one moment, with their SHA-256 in hexadecimal."""

    data: bytes
    sha256: str
    size: int
    mtime_ns: int


def load(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Picture:
    """Return the picture in the file `path`. Errors: see `read_source` and `decode_picture`."""
    return decode_picture(read_source(path, limits=limits).data, str(path), limits=limits)


def read_source(path: Path, *, limits: Limits = DEFAULT_LIMITS, root: Path | None = None) -> Source:
    """Return the content of the regular file `path`, read once.

    `root`: a folder below which no symbolic link may lead to it.

    Raises:
        PictureError: The file cannot be read, is no regular file, exceeds `limits`, or changed meanwhile.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:  # O_NONBLOCK: a pipe must not hold up the batch
            before = os.fstat(file.fileno())
            _check_file(path, before, limits)
            if root is not None and not _is_below(root, path, before):
                raise PictureError(f"{shown(path)}: a symbolic link took its place; run again when nobody changes it")
            data = file.read(before.st_size + 1)
            after = os.fstat(file.fileno())
    except (OSError, ValueError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "not enough memory"
        raise PictureError(f"{shown(path)}: cannot be read ({reason}); check the file and its permissions") from error
    if (before.st_size, before.st_mtime_ns) != (len(data), after.st_mtime_ns) or after.st_size != len(data):
        raise PictureError(f"{shown(path)}: changed while it was read; run again when nothing writes to it")
    return Source(data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data), mtime_ns=after.st_mtime_ns)


def check_head(path: Path) -> None:
    """Look at the beginning of a file, so that films and the like are not read to their end.

    Raises:
        NotAPictureError: Neither content nor suffix is that of an image.
        PictureError: The file cannot be read.
    """

    def head() -> bytes:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            return file.read(SIGNATURE_BYTES) or b""

    try:
        check_beginning(str(path), head)
    except OSError as error:
        reason = error.strerror or error
        raise PictureError(f"{shown(path)}: cannot be read ({reason}); check the file and its permissions") from error


def check_beginning(name: str, head: Callable[[], bytes]) -> None:
    """Like `check_head`, for a file wherever it is: `head` reads its first `SIGNATURE_BYTES`, where they are needed.

    Raises:
        NotAPictureError: Neither content nor suffix is that of an image.
    """
    if not has_picture_suffix(name):
        _recognise(head(), name)


def check_size(name: str, size: int, limits: Limits) -> None:
    """Raise PictureError where a file of `size` bytes is too large."""
    if size > limits.max_bytes:
        raise refused(name, f"{size:,} bytes exceed the limit of {limits.max_bytes:,}")


def _is_below(root: Path, path: Path, opened: os.stat_result) -> bool:
    """Tell whether an open file is that of its path, without links: whoever fills a folder may swap it meanwhile."""
    unlinked = os.path.join(os.path.realpath(root), path.relative_to(root))  # noqa: PTH118 - compared as text
    return os.path.realpath(path) == unlinked and os.path.samestat(path.lstat(), opened)


def _check_file(path: Path, status: os.stat_result, limits: Limits) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise PictureError(f"{shown(path)}: not a regular file; give a picture")
    check_size(str(path), status.st_size, limits)


def decode_picture(data: bytes, name: str, *, limits: Limits = DEFAULT_LIMITS, empty: Memory = plain_memory) -> Picture:
    """Return the picture in `data`, pixels as stored: uint8 of shape (H, W, 3) or (H, W, 1), EXIF orientation kept.

    Args:
        data: The content of a file in one of the formats of `formats.READS`.
        name: Its name, for messages; its suffix tells a damaged picture from a file that never was one.
        limits: Ceilings for sizes.
        empty: Makes the memory that the pixels go to.

    Raises:
        NotAPictureError: Neither content nor suffix is that of an image.
        UnsupportedPictureError: A sound picture that the codec cannot carry faithfully.
        PictureError: The picture is damaged, exceeds `limits`, or is in a format that we do not read.
    """
    if has_picture_suffix(name) and (foreign_kind := exotic_kind(data, misnamed=foreign(name) is None)):
        raise unsupported(name, foreign_kind)
    entry = _recognise(data, name)
    if exotic := exotic_reason(data):
        raise unsupported(name, exotic)
    with _explained(name, entry.name, data), ignore_pillow_warnings():
        if entry.name == "PNG":
            _check_png(data)
        boxed = data if entry.name == "JPEG XL" else b""
        if boxed:
            entry, data = _checked_jxl(entry, data, name, limits)
        if entry.name == "JPEG":
            data, scans = jpeg_scans.with_end(data)
        with _opened(entry, data, name) as image:
            check_limits(image.size, name, limits)
            pixels, alpha_png = _decode(image, empty, data)
            metadata = replace(read_metadata(image, data), alpha=alpha_png)
            reason = unsupported_reason(image, data, metadata, entry.reasons)
        if entry.name == "JPEG":
            seen = jpeg_damage.examine(data, scans, pixels if pixels.size else None)
            if seen.damage:
                raise damaged(name, seen.damage)
            reason = reason or (surplus.REASON if seen.surplus else None)
        if entry.name in {"HEIC", "AVIF"} and holes.items_have_holes(data):
            raise damaged(name, f"damaged {entry.name} file, its picture data have gaps")
        reason = reason or foreign_data.box_reason(boxed, jpeg=entry.name == "JPEG")
    check_metadata(metadata, name, limits)
    if reason is not None:
        raise unsupported(name, reason)
    return Picture(pixels=pixels, metadata=metadata)


def _recognise(data: bytes, name: str) -> Format:
    """Return the format of `data`, or raise why it cannot be read."""
    entry, kind = recognise(data), foreign(name)
    if kind == RAW and data and not (entry and entry.name != "TIFF"):
        return RAW_FILE
    if entry is not None and not (kind and entry.name == "TIFF"):
        return entry
    if not has_picture_suffix(name) or data.startswith(NO_PICTURE):
        step = f"exclude it, or store it as it is with {verbatim_hint(name)}"
        raise NotAPictureError(f"{shown(name)}: {what(name, data)}; {step}")
    if not data:
        raise damaged(name, "empty file")
    if is_video(name, data):
        step = f"exclude it, or store it as it is with {verbatim_hint(name)}"
        raise PictureError(f"{shown(name)}: a video, whatever its name says; {step}")
    if kind:
        step = f"convert it to PNG or JPEG, exclude it, or store it as it is with {verbatim_hint(name)}"
        raise PictureError(f"{shown(name)}: {kind} pictures are not read; {step}")
    raise damaged(name, "not a readable image, its content is in no known format")


def _opened(entry: Format, data: bytes, name: str) -> ImageFile.ImageFile:
    if entry.feature and not features.check(entry.feature):
        lacks = f"{provider()} was built without {entry.name}"
        raise PictureError(f"{shown(name)}: {lacks}; install pillow in its place, or exclude the picture")
    try:
        return entry.opener(io.BytesIO(data), "")
    except ImportError as error:
        step = f"pip install 'batchcomp[{entry.extra}]', or store it as it is with {verbatim_hint(name)}"
        raise PictureError(f"{shown(name)}: {entry.name} pictures need one more package; {step}") from error


def _checked_jxl(entry: Format, data: bytes, name: str, limits: Limits) -> tuple[Format, bytes]:
    """Check the size that a JPEG XL file claims, since its decoder would not; unwrap a JPEG that is in it."""
    head = jxl.header(data)
    check_limits((head.width, head.height), name, limits)
    try:
        inside = jxl.jpeg_inside(data)
    except ImportError:
        return entry, data  # `_opened` reports it
    return (entry, data) if inside is None else (JPEG, inside)


def _decode(image: ImageFile.ImageFile, empty: Memory, data: bytes) -> tuple[Pixels, bytes]:
    """Return the pixels of the first frame of `image`, (H, W, channels), and its alpha channel as a PNG.

    There are none unless its mode is RGB or L, with or without alpha.
    """
    if large_jpeg.serves(image) and (pixels := large_jpeg.pixels_of(image, data, empty)) is not None:
        return pixels, b""
    stored = loaded_as_stored(image) if image.format == "TIFF" else image
    stored.load()
    colours, alpha_png = alpha.split(stored)
    if colours.mode not in {"RGB", "L"}:
        return np.empty((0, 0, 1), np.uint8), b""
    return pixels_of(colours, empty), alpha_png


def _check_png(data: bytes) -> None:
    """Compare the checksums of the chunks that make the picture; Pillow does not look at those of the pixels."""
    for kind, _content, sound in png_chunks(data):
        if not sound and kind[:1].isupper():
            raise ValueError(f"checksum of chunk {kind.decode('latin-1')} is wrong")


@contextmanager
def _explained(name: str, format_name: str, data: bytes) -> Iterator[None]:
    """Turn whatever the decoder raises on bad content into a `PictureError`."""
    try:
        yield
    except PictureError:
        raise
    except _DECODER_ERRORS as error:
        if exotic := _exotic(error, format_name, data):
            raise unsupported(name, exotic) from error
        raise damaged(name, _reason(error, format_name)) from error


def _exotic(error: BaseException, format_name: str, data: bytes) -> str | None:
    """Say what a decoder does not know, where it does not speak of damage."""
    text = shown(error)
    if text.lower().startswith(("cannot handle", "unsupported", "unknown")) or text.endswith("not available"):
        return f"kind of {format_name} file that is not decoded here ({text})"
    if "MAX_TEXT" in text:
        return "text inside it that unpacks to more than 1 MiB"
    if format_name == "TIFF" and (packing := tiff_compression(data)):
        return f"TIFF packed as {packing}, which is not decoded here"
    return None


def _reason(error: BaseException, format_name: str) -> str:
    """Say in plain words what the decoder found."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return "not enough memory to decode it (--max-memory)"
    if isinstance(error, Image.DecompressionBombError):
        return f"too many pixels for a {format_name} decoder"
    text = shown(error)
    if text.startswith("checksum of"):
        return f"damaged {format_name} file, {text}"
    truncated = "truncated" in text.lower() or isinstance(error, EOFError)
    return f"{'truncated' if truncated else 'damaged'} {format_name} file"
