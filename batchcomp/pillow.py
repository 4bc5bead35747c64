"""A plugin for Pillow: after `import batchcomp.pillow`, `Image.open` gives payloads as the pictures they restore to.

Without it `Image.open("beach.png.jpg")` gives the compact picture of half the size, as any viewer does. Files that are
no payloads are opened as ever. The networks run when the pixels are first asked for.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from PIL import Image, ImageFile

from batchcomp.codec.codec import Codec
from batchcomp.codec.inner import codec_of
from batchcomp.codec.payload import PayloadHeader
from batchcomp.errors import PayloadError
from batchcomp.images.pillow_array import to_image

FORMAT: Final = "BATCHCOMP"


@cache
def _codec() -> Codec:
    return Codec.open()


class PayloadFile(ImageFile.ImageFile):
    """A payload, opened by Pillow: its size is that of the restored picture."""

    format = FORMAT
    format_description = "batchcomp payload"

    def _open(self) -> None:
        """Read the payload and its header.

        Raises:
            SyntaxError: it is none; Pillow goes on to its next plugin.
        """
        self._payload = self.fp.read() if self.fp else b""
        header = _header_of(self._payload)
        self._size, self._mode, self.tile = (header.width, header.height), "L" if header.grey else "RGB", []

    def load(self) -> Any:
        """Restore the pixels, once.

        Raises:
            OSError: the payload is damaged, or its model is not at hand.
        """
        if self._payload:
            try:
                restored = to_image(_codec().restore(self._payload))
            except PayloadError as error:
                raise OSError(str(error)) from error
            self._payload, self.im, self._mode = b"", restored.im, restored.mode
            self.info.update(restored.info)
        return super().load()


def _header_of(data: bytes) -> PayloadHeader:
    try:
        return codec_of(data).header(data)
    except PayloadError as error:
        raise SyntaxError(str(error)) from error


def _may_be_payload(prefix: bytes) -> bool:
    """Whether a file that begins so may be a payload; others are left to Pillow's own plugins unread."""
    try:
        codec_of(prefix)
    except PayloadError:
        return False
    return True


def register() -> None:
    """Put the plugin before all others, which would take a payload for the JPEG or AVIF that it is as well."""
    Image.init()
    Image.register_open(FORMAT, PayloadFile, _may_be_payload)
    Image.ID.remove(FORMAT)
    Image.ID.insert(0, FORMAT)


register()
