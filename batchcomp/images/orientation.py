"""Pictures as they are to be seen: what the orientation of EXIF stands for (tag 0x0112, EXIF 2.32, 4.6.4)."""

from __future__ import annotations

from typing import Final

from PIL import ExifTags, Image, ImageFile

_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BACK: Final = {**_TURNS, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Return a picture upright; as it is for 1, and for what is no orientation."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def loaded_as_stored(image: ImageFile.ImageFile) -> Image.Image:
    """Load a TIFF and undo Pillow's turning it upright, be it by a tag or by XMP."""
    orientation = image.getexif().get(ExifTags.Base.Orientation)
    image.load()
    return image.transpose(_BACK[orientation]) if orientation in _BACK else image
