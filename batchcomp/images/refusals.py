"""The errors of loading a picture: each names the file, the reason and the next step."""

from __future__ import annotations

from batchcomp.errors import PictureError, UnsupportedPictureError
from batchcomp.images.names import shown


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
