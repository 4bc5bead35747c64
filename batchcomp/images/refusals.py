"""The errors of loading a picture: each names the file, the reason and the next step."""

from __future__ import annotations

from batchcomp.errors import PictureError, UnsupportedPictureError
from batchcomp.images.names import shown
from batchcomp.images.picture import Metadata
from batchcomp.settings import Limits


def unsupported(name: str, reason: str) -> UnsupportedPictureError:
    """A sound picture that the codec cannot carry."""
    text = f"{shown(name)}: {reason} cannot be carried by the codec; the source is stored as it is"
    return UnsupportedPictureError(text, reason=reason)


def refused(name: str, reason: str) -> PictureError:
    """A picture beyond a limit."""
    return PictureError(f"{shown(name)}: {reason}; exclude it or make it smaller")


def damaged(name: str, reason: str) -> PictureError:
    """A picture that is broken."""
    return PictureError(f"{shown(name)}: {reason}; copy it again from its source or exclude it")


def check_limits(size: tuple[int, int], name: str, limits: Limits) -> None:
    """Raise PictureError where width and height make no sense or are too large."""
    width, height = size
    if width < 1 or height < 1:
        raise damaged(name, f"size of {width} x {height} pixels")
    if width * height > limits.max_pixels:
        raise refused(name, f"{width} x {height} pixels exceed the limit of {limits.max_pixels / 1e6:g} megapixels")
    if max(width, height) > limits.max_side:
        raise refused(name, f"{width} x {height} pixels exceed the limit of {limits.max_side} pixels a side")


def check_metadata(metadata: Metadata, name: str, limits: Limits) -> None:
    """Raise PictureError where there is too much beside the pixels."""
    if metadata.size > limits.max_metadata_bytes:
        raise refused(name, f"{metadata.size:,} bytes of metadata exceed the limit of {limits.max_metadata_bytes:,}")
