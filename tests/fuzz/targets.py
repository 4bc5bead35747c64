"""The functions that are fuzzed with untrusted bytes.

A target takes bytes and returns, expected errors included; anything it raises is a bug. `SEEDS` says what sound input
looks like.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
import zlib
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from batchcomp.archive import ArchiveReader, repair, verify
from batchcomp.archive.deflated import deflated
from batchcomp.archive.growing import manifest_entry
from batchcomp.archive.layout import directory, local_header, picture_entry
from batchcomp.archive.manifest import check_manifest, line_path, picture_lines, row_lines
from batchcomp.archive.rows import Row, parse_line, row_from_json, row_line
from batchcomp.codec import payload
from batchcomp.codec.inner import codec_of
from batchcomp.errors import ArchiveError, PayloadError, PictureError
from batchcomp.images.load import decode_picture
from batchcomp.settings import Limits
from tests.archive.make_golden import GOLDEN
from tests.archive.samples import fixed_now, sample_row

SMALL = Limits(max_pixels=200_000, max_side=4096)
_KEPT = tempfile.TemporaryDirectory(prefix="batchcomp-fuzz-")  # goes away with the process
FOLDER = Path(_KEPT.name)


def segment(data: bytes) -> None:
    """A whole segment file: open, list, read, verify, and plan its repair."""
    path = FOLDER / "000001.zip"
    path.write_bytes(data)
    with contextlib.suppress(ArchiveError):
        archive = ArchiveReader.open(FOLDER)
        rows = list(archive.all_rows())
        assert all(row in rows for row in archive.rows())
        for row in rows:
            with contextlib.suppress(ArchiveError):
                assert sha256(archive.read(row)).hexdigest() == row.payload_sha256
        if verify(FOLDER).ok:
            assert all(archive.read(row) is not None for row in rows)
    with contextlib.suppress(ArchiveError):
        repair(FOLDER, describe, dry_run=True)


def describe(_kind: str, _payload: bytes) -> dict[str, Any]:
    """What the codec would say of a payload."""
    return {}


def manifest(data: bytes) -> None:
    """A manifest by itself, and inside a segment of which all else is sound, so that no checksum keeps it out."""
    for parse in (check_frame, check_rows):
        with contextlib.suppress(ValueError, ArchiveError):
            parse(data)
    entry = picture_entry(ROW, crc=zlib.crc32(PAYLOAD), offset=0, held=False)
    held = deflated(data)
    last = manifest_entry(data, held, entry.end)
    parts = local_header(entry), PAYLOAD, local_header(last), held, directory([entry, last], last.end)
    segment(b"".join(parts))


def check_frame(data: bytes) -> None:
    """Check a manifest's first and last line; a manifest without a line end never gets so far."""
    check_manifest(data, 1)


def check_rows(data: bytes) -> None:
    """Parse every row; what was parsed must be writable again as the same row."""
    for line in row_lines(data):
        with contextlib.suppress(ValueError):
            row = row_from_json(parse_line(line), 1)
            assert row_from_json(parse_line(row_line(row)), 1) == row
    for line in picture_lines(data):
        assert line_path(line) is None or isinstance(line_path(line), str)


def payload_parser(data: bytes) -> None:
    """A payload: its header and its metadata, and its picture where it is small."""
    with contextlib.suppress(PayloadError):
        codec = codec_of(data)
        header = codec.header(data)
        codec.metadata_bytes(data)
        if header.width * header.height <= SMALL.max_pixels:
            pixels, _ = codec.decode(data, expected=header.compact_size)
            assert pixels.shape[:2] == header.compact_size[::-1]


def image(data: bytes) -> None:
    """A picture file."""
    with contextlib.suppress(PictureError):
        picture = decode_picture(data, "picture", limits=SMALL)
        assert picture.width * picture.height <= SMALL.max_pixels


def _picture_seeds() -> list[bytes]:
    pixels = (np.arange(24 * 20 * 3, dtype=np.uint32) * 7 % 251).astype(np.uint8).reshape(24, 20, 3)
    seeds = []
    for kind, mode in [("PNG", "RGB"), ("JPEG", "RGB"), ("WEBP", "RGB"), ("TIFF", "RGB"), ("GIF", "P"), ("BMP", "RGB"),
                       ("PNG", "RGBA"), ("PNG", "P"), ("TIFF", "CMYK"), ("JPEG", "L")]:  # fmt: skip
        file = io.BytesIO()
        exif = Image.Exif()
        exif[0x0112] = 6
        more = {"exif": exif} if kind in {"PNG", "JPEG", "WEBP"} else {}
        Image.fromarray(pixels).convert(mode).save(file, kind, **more)
        seeds.append(file.getvalue())
    return seeds


def _payload_seeds() -> list[bytes]:
    header = payload.PayloadHeader(width=40, height=48, scale=2, quality=50, model=b"1234", grey=False)
    jpegs = [seed for seed in _picture_seeds() if seed.startswith(b"\xff\xd8")]
    return [payload.insert(seed, header) for seed in jpegs]


def _segment_seeds() -> list[bytes]:
    return [path.read_bytes() for path in sorted(GOLDEN.glob("*.zip"))] + [b"PK\5\6" + bytes(18)]


def _manifest_seeds() -> list[bytes]:
    from batchcomp.archive.manifest import end_line, header_line  # noqa: PLC0415  # only here

    first, line = header_line(1, fixed_now()), row_line(ROW)
    shared = row_line(sample_row("copy.png", entry=ROW.entry, payload_bytes=len(PAYLOAD),
                                 payload_sha256=ROW.payload_sha256, owner_segment=1))  # fmt: skip
    held = row_line(ROW, "held")
    return [first + line + end_line(1), first + line + shared + end_line(2), first + held + end_line(0, 1)]


PAYLOAD = b"a payload"
ROW: Row = sample_row(
    "a.png", entry="a.png.jpg", payload_bytes=len(PAYLOAD), payload_sha256=sha256(PAYLOAD).hexdigest()
)
Target = Callable[[bytes], None]
TARGETS: Mapping[str, tuple[Target, Callable[[], list[bytes]]]] = {
    "segment": (segment, _segment_seeds),
    "manifest": (manifest, _manifest_seeds),
    "payload": (payload_parser, _payload_seeds),
    "image": (image, _picture_seeds),
}
