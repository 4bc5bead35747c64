"""A manifest row: what the archive knows about one picture. Strict in both directions; see docs/format.md."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from batchcomp.archive.checks import Check, integer, matches, number, or_none, text
from batchcomp.archive.names import entry_problem, name_problem
from batchcomp.kinds import KINDS

MAX_LINE = 64 * 1024  # bytes of one manifest line: enough for the longest names, twice
MAX_ENTRY_BYTES = 2**32 - 2  # so that sizes always fit the plain ZIP fields; offsets and counts may need zip64
_INT64 = 2**63


@dataclass(frozen=True, kw_only=True, slots=True)
class JpegComparison:
    """What plain JPEG does with the same picture.

    `quality`, `bytes` and `ms_ssim` describe the best plain JPEG that fits into the payload's bytes;
    `bytes_at_ms_ssim` is what plain JPEG needs for the payload's MS-SSIM, None if it cannot reach it. `within_db` is
    by how much an estimated MS-SSIM, in dB, may be off, and with it the bytes along JPEG's curve; 0 where files of the
    whole picture were measured.
    """

    quality: int
    bytes: int
    ms_ssim: float
    bytes_at_ms_ssim: int | None
    within_db: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One picture. The writer fills in `segment`, `entry`, `owner_segment`, `payload_bytes` and `payload_sha256`.

    A shared row has no entry of its own: its content was stored before, as entry `entry` of segment `owner_segment`.

    Sizes are in bytes, `width` and `height` in pixels as the source stores them (0 where unknown), `mtime_ns` in
    nanoseconds since 1970 UTC, `permissions` is `st_mode & 0o7777`, checksums are lower-case hex, `seconds` is the
    time spent on the picture. Verbatim pictures have `scale` 0, `quality` 0 and a `reason`.
    """

    path: str
    stored: str
    source_bytes: int
    mtime_ns: int
    permissions: int
    source_sha256: str
    width: int
    height: int
    mode: str
    entry: str = ""
    reason: str = ""
    payload_bytes: int = 0
    payload_sha256: str = ""
    metadata_bytes: int = 0
    model: str = ""
    scale: int = 0
    quality: float = 0  # an int where it is whole, so that it stays one in JSON
    ms_ssim: float | None = None
    jpeg: JpegComparison | None = None
    seconds: float = 0.0
    recipe: str = ""  # what was asked for beside a quality: a target, an inner codec, packing
    unpacked_bytes: int = 0  # of the JPEG that was packed; 0 where none was
    pixels_sha256: str = ""  # its first half, of the restored pixels; "" where they were not restored
    engine: str = ""  # what restored them; "" where every engine gives the same pixels
    ssimulacra2: float | None = None  # of the restored picture, where it was asked for
    owner_segment: int = 0  # the segment that holds the entry of a shared row, else 0
    segment: int = 0  # of the file the row came from; not part of the line

    @property
    def natural_entry(self) -> str:
        """The entry's name where nothing clashes: the path and the suffix of the kind."""
        kind = KINDS.get(self.stored)
        return self.path + (kind.suffix if kind else "")

    @property
    def is_source(self) -> bool:
        """Whether the payload has the source's own bytes, so that size and checksum of one are those of the other."""
        return (self.payload_bytes, self.payload_sha256) == (self.source_bytes, self.source_sha256)

    @property
    def place(self) -> tuple[int, str]:
        """The segment in which the payload lies, and the name of its entry there."""
        return self.owner_segment or self.segment, self.entry


def row_line(row: Row, kind: str = "picture") -> bytes:
    """Return the row as a manifest line: compact JSON in UTF-8 that ends with its own checksum and a newline.

    Raises:
        ValueError: a field has the wrong type, is out of range, or the line is too long.
    """
    value = {name: getattr(row, name) for name in _CHECKS}
    _check(value, _CHECKS)
    for name, same_as in _SAME_AS.items():
        if value[name] == value[same_as]:
            del value[name]
    for name, (default, check) in _OPTIONAL.items():
        if getattr(row, name) != default:
            value[name] = getattr(row, name)
            _check(value, {name: check})
    if row.jpeg is not None:
        value["jpeg"] = {name: getattr(row.jpeg, name) for name in _JPEG_CHECKS}
        if not row.jpeg.within_db:  # written only where it says something, as the optional fields of a row
            del value["jpeg"]["within_db"]
        _check({"within_db": 0.0, **value["jpeg"]}, _JPEG_CHECKS, "jpeg.")
    line = with_crc(json_line({"type": kind, **value}))
    if len(line) > MAX_LINE:
        raise ValueError(f"the manifest line has {len(line)} bytes, at most {MAX_LINE} are allowed")
    return line


def row_of(line: bytes, segment: int) -> Row:
    """Return the row that a line of the manifest of segment number `segment` holds.

    Raises:
        ValueError: its checksum is missing or wrong, or it breaks another rule.
    """
    if problem := crc_problem(line):
        raise ValueError(problem)
    return row_from_json(parse_line(line), segment)


def row_from_json(value: Mapping[str, Any], segment: int) -> Row:
    """Return the row that a manifest line holds; unknown fields are ignored.

    Raises:
        ValueError: a field is missing, has the wrong type or is out of range.
    """
    known = _pick(
        {**{name: value[same_as] for name, same_as in _SAME_AS.items() if same_as in value}, **value}, _CHECKS
    )
    for name, (default, check) in _OPTIONAL.items():
        known[name] = value.get(name, default)
        if name in value:
            _check(known, {name: check})
    if isinstance(known["jpeg"], dict):
        jpeg = _pick({"within_db": 0.0, **known["jpeg"]}, _JPEG_CHECKS, "jpeg.")
        _check(jpeg, _JPEG_CHECKS, "jpeg.")
        known["jpeg"] = JpegComparison(**jpeg)
    _check(known, _CHECKS)
    return Row(**known, segment=segment)


def json_line(value: Mapping[str, Any]) -> bytes:
    """Return `value` as one line of compact JSON in UTF-8. NaN and lone surrogates raise ValueError."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def with_crc(line: bytes) -> bytes:
    """Return a line of JSON with a last member `crc`: what stands before it, checked by CRC-32."""
    return b'%b,"crc":"%08x"}\n' % (line[:-2], zlib.crc32(line[:-2]))


def crc_problem(line: bytes) -> str:
    """Say what is wrong with the line's own checksum, "" if it is right: the line then proves itself."""
    match = CRC_MEMBER.search(line)
    if match is None:
        return "the line has no checksum at its end (crc)"
    if int(match[1], 16) != zlib.crc32(line[: match.start()]):
        return "the line does not have the checksum that it names (crc)"
    return ""


def parse_line(line: bytes) -> dict[str, Any]:
    """Return the JSON object in `line`.

    Raises:
        ValueError: the line is too long, not UTF-8, not JSON, not an object, or says NaN.
    """
    if len(line) > MAX_LINE:
        raise ValueError(f"the line has {len(line)} bytes, at most {MAX_LINE} are allowed")
    try:
        value = _DECODER.decode(line.decode())
    except RecursionError:
        raise ValueError("the line is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("the line is not a JSON object")  # noqa: TRY004  # bad data, not a bad call
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


CRC_MEMBER: Final = re.compile(rb',"crc":"([0-9a-f]{8})"}\n\Z')
_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


def _pick(value: Mapping[str, Any], names: Mapping[str, object], inside: str = "") -> dict[str, Any]:
    try:
        return {name: value[name] for name in names}
    except KeyError as error:
        raise ValueError(f"{inside}{error.args[0]}: the field is missing") from None


def _check(value: Mapping[str, Any], checks: Mapping[str, Check], inside: str = "") -> None:
    for name, check in checks.items():
        if expected := check(value[name]):
            raise ValueError(f"{inside}{name} {str(value[name])[:100]!r}: {expected}")


def _name(problem: Callable[[str], str]) -> Check:
    def check(value: Any) -> str:
        reason = problem(value) if isinstance(value, str) else "it is not text"
        return reason and f"the name is not allowed: {reason}"

    return check


def _is_comparison(value: Any) -> str:
    return "" if isinstance(value, JpegComparison) else "expected an object or null"


_size = integer(0, _INT64 - 1)
_similarity = number(-1.0, 1.0)
_sha256 = matches("[0-9a-f]{64}", "a SHA-256 in lower-case hex")

_CHECKS: Final[dict[str, Check]] = {
    "path": _name(name_problem),
    "entry": _name(entry_problem),
    "stored": matches("[a-z][a-z0-9-]{0,31}", "the name of a kind"),
    "reason": text(1000),
    "source_bytes": _size,
    "mtime_ns": integer(-_INT64 * 10**9, _INT64 * 10**9 - 1),  # whatever a system's signed 64-bit seconds can say
    "permissions": integer(0, 0o7777),
    "source_sha256": _sha256,
    "payload_bytes": integer(0, MAX_ENTRY_BYTES),
    "payload_sha256": _sha256,
    "metadata_bytes": integer(0, MAX_ENTRY_BYTES),
    "width": integer(0, 2**31 - 1),
    "height": integer(0, 2**31 - 1),
    "mode": text(32),
    "model": matches("([0-9a-f]{64})?", 'a SHA-256 in lower-case hex, or ""'),
    "scale": integer(0, 255),
    "quality": number(0, 100),
    "ms_ssim": or_none(_similarity),
    "jpeg": or_none(_is_comparison),
    "seconds": number(0.0, 1e9),
}
_OPTIONAL: Final[dict[str, tuple[Any, Check]]] = {  # fields that are written only where they are not the default
    "owner_segment": (0, integer(1, 10**12)),
    "recipe": ("", text(200)),
    "unpacked_bytes": (0, integer(1, MAX_ENTRY_BYTES)),
    "pixels_sha256": ("", matches("[0-9a-f]{32}", "the first half of a SHA-256 in lower-case hex")),
    "engine": ("", text(200)),
    "ssimulacra2": (None, number(-100_000.0, 100.0)),
}
_SAME_AS: Final = {  # fields that are written only where they are not equal to others
    "entry": "path",
    "payload_bytes": "source_bytes",
    "payload_sha256": "source_sha256",
}
_JPEG_CHECKS: Final[dict[str, Check]] = {
    "quality": integer(1, 100),
    "bytes": _size,
    "ms_ssim": _similarity,
    "bytes_at_ms_ssim": or_none(_size),
    "within_db": number(0.0, 1000.0),
}

if {field.name for field in fields(Row)} != {
    *_CHECKS,
    *_OPTIONAL,
    "segment",
}:  # a field without a check must not slip in
    raise AssertionError("every field of Row needs a check")
