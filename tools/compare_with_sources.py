"""Compare every file of an archive, as it was decoded, with its source: what came back, and how was it stored?

    batchcomp compress PHOTOS -o A.bca && batchcomp decode A.bca -o OUT
    python tools/compare_with_sources.py PHOTOS A.bca OUT

Looks at bytes (of files stored as they are), size, layout, orientation, EXIF, ICC, XMP, IPTC, comments, texts, pixels
per inch, alpha, time and permissions, and at the mean colour difference (CIEDE2000). Prints a table; exit code 1 if
anything is not as docs/formats.md promises.
"""

from __future__ import annotations

import json
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFile
from skimage.color import deltaE_ciede2000, rgb2lab

from batchcomp.archive import ArchiveReader, Row
from batchcomp.images.formats import recognise
from batchcomp.images.pillow_warnings import ignore_pillow_warnings
from batchcomp.pipeline.targets import sameness, target_names

Image.MAX_IMAGE_PIXELS = None
ELSEWHERE = re.compile("Raw profile type (exif|xmp)$|XML:com")  # texts that come back as what they hold
COLOUR_LIMIT = 12.0  # mean CIEDE2000 beyond which colours, not details, have changed; noise at quality 55 stays below
PATCH = 8  # pixels: colours are compared as means of squares of this side, so that lost grain is no change of colour
IPTC = "Raw profile type iptc"  # what ImageMagick, ExifTool and Exiv2 call it in a PNG


def opened(path: Path) -> ImageFile.ImageFile:
    """Return the picture in a file by its content, whatever its suffix, loaded."""
    with path.open("rb") as file:
        entry = recognise(file.read(96))
        if entry is None:
            raise ValueError(f"{path}: no picture")
        file.seek(0)
        image = entry.opener(file, "")
        image.load()
    return image


def orientation(image: ImageFile.ImageFile) -> int:
    """Return what EXIF says; TIFFs are turned when they are loaded, and are asked before."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except (TypeError, ValueError, SyntaxError, struct.error):  # EXIF that is damaged travels as it is
        return 1


def source_facts(path: Path) -> dict[str, Any]:
    """Read a source with Pillow alone: what ought to come back."""
    with path.open("rb") as file:
        entry = recognise(file.read(96))
        assert entry is not None  # noqa: S101 - it is in the archive as a picture
        file.seek(0)
        image = entry.opener(file, "")
        turned = orientation(image) if image.format == "TIFF" else 1
        image.load()
    if turned in TURNS:
        pixels = image.transpose(TURNS[turned])
        return facts(image) | {"image": pixels, "size": pixels.size, "orientation": turned, "exif": None}
    return facts(image)


TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip


def facts(image: ImageFile.ImageFile) -> dict[str, Any]:
    """What a picture says of itself: None where the format cannot be asked byte for byte."""
    info = image.info
    return {
        "image": image,
        "size": image.size,
        "mode": image.mode,
        "orientation": orientation(image),
        "exif": None if image.format == "TIFF" else exif(info),
        "icc": info.get("icc_profile") or b"",
        "xmp": info.get("xmp") or raw_profile(info.get("Raw profile type xmp", "")),
        "texts": texts(image),
        "inches": inches(image),
    }


def exif(info: dict[Any, Any]) -> bytes:
    """Return EXIF without its prefix, also where ImageMagick has put it into a PNG's texts."""
    found = info.get("exif") or raw_profile(info.get("Raw profile type exif", ""))
    return bytes(found).removeprefix(b"Exif\0\0")


def raw_profile(text: str) -> bytes:
    """Decode ImageMagick's hexadecimal profiles."""
    parts = str(text).split("\n", 3)
    return bytes.fromhex(re.sub(r"\s", "", parts[3])[: 2 * int(parts[2])]) if len(parts) == 4 else b""


def texts(image: ImageFile.ImageFile) -> dict[str, str | bytes]:
    """Return a PNG's texts, or what a JPEG's comment and Photoshop data become there; IPTC as bytes."""
    if image.format == "PNG":
        kept = {key: str(value) for key, value in getattr(image, "text", {}).items() if not ELSEWHERE.match(key)}
        return kept | ({IPTC: raw_profile(kept[IPTC])} if IPTC in kept else {})
    found: dict[str, str | bytes] = {}
    for name, content in getattr(image, "applist", ()):
        if name == "COM":
            found["Comment"] = (
                content.rstrip(b"\0").decode("utf-8" if is_utf8(content) else "latin-1").replace("\0", " ")
            )
        if name == "APP13" and content.startswith(b"Photoshop 3.0\0"):
            found[IPTC] = content[14:]
    return found


def is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def inches(image: ImageFile.ImageFile) -> tuple[int, int] | None:
    """Return pixels per inch; of a JPEG those of its own header, since Pillow makes them up otherwise."""
    if image.format in {"JPEG", "MPO"} and image.info.get("jfif_unit") not in {1, 2}:
        return None
    try:
        across, down = (round(float(value)) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return (across, down) if across > 0 < down else None


def colour_difference(source: Image.Image, restored: Image.Image) -> float:
    """Mean CIEDE2000 between two pictures of one size, square by square; values as if sRGB, which cancels out."""
    size = [max(1, side // PATCH) for side in source.size]
    labs = [rgb2lab(np.asarray(one.convert("RGB").resize(size, Image.Resampling.BOX))) for one in (source, restored)]
    return float(np.mean(deltaE_ciede2000(*labs)))


def differences(row: Row, source: Path, restored: Path) -> Iterator[str]:
    """Yield what did not come back."""
    if not restored.is_file():
        yield "was not restored"
        return
    one, two = source.stat(), restored.stat()
    if (one.st_mtime_ns, one.st_mode & 0o777) != (two.st_mtime_ns, two.st_mode & 0o777):
        yield "time or permissions"
    if row.stored == "verbatim":
        if source.read_bytes() != restored.read_bytes():
            yield "bytes"
        return
    before, after = source_facts(source), facts(opened(restored))
    for name in ("size", "mode", "orientation", "exif", "icc", "xmp", "inches"):
        if before[name] is not None and before[name] != after[name]:
            yield f"{name} {str(before[name])[:60]} became {str(after[name])[:60]}"
    yield from (f"text {key!r}" for key, value in before["texts"].items() if after["texts"].get(key) != value)
    if before["mode"].endswith("A") and not same_alpha(before["image"], after["image"]):
        yield "alpha"
    if before["size"] == after["size"] and colour_difference(before["image"], after["image"]) > COLOUR_LIMIT:
        yield f"colours differ by {colour_difference(before['image'], after['image']):.1f}"


def same_alpha(source: Image.Image, restored: Image.Image) -> bool:
    """Tell whether the alpha channels are the same, pixel by pixel."""
    return source.getchannel("A").tobytes() == restored.getchannel("A").tobytes()


def colour_of(row: Row, source: Path, restored: Path) -> str:
    """Return the mean colour difference for the table."""
    if row.stored == "verbatim" or not restored.is_file():
        return ""
    return f"{colour_difference(source_facts(source)['image'], opened(restored)):.2f}"


def not_held(sources: Path, known: set[str]) -> list[str]:
    """Return the files below `sources` that the archive does not hold."""
    names = (path.relative_to(sources).as_posix() for path in sorted(sources.rglob("*")) if path.is_file())
    return [name for name in names if name not in known]


def main(sources: Path, archive: Path, decoded: Path) -> int:
    """Print a line a file and a summary; return the exit code."""
    rows = list(ArchiveReader.open(archive).rows())
    targets = target_names(rows, "png", same=sameness(decoded))
    wrong = 0
    for row in rows:
        source, restored = sources / row.path, decoded / targets[row.path]
        with ignore_pillow_warnings():
            found = list(differences(row, source, restored))
            colour = colour_of(row, source, restored)
        wrong += bool(found)
        line = (row.path, row.stored, row.mode, colour, row.reason, "; ".join(found) or "ok")
        sys.stdout.write("\t".join(line) + "\n")
    left = not_held(sources, {row.path for row in rows})
    for name in left:
        sys.stdout.write(f"{name}\tnot in the archive\n")
    kinds = {kind: sum(row.stored == kind for row in rows) for kind in sorted({row.stored for row in rows})}
    summary = {"files": len(rows), **kinds, "not in the archive": len(left), "mismatches": wrong}
    sys.stdout.write(json.dumps(summary) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*(Path(argument) for argument in sys.argv[1:4])))
