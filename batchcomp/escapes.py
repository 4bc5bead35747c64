r"""Names as archives hold them: the bytes of the file system, escaped where some system could not bear them.

The one place where a file's name becomes a name in an archive and back. See "Names" in docs/format.md: `a\b.jpg` is
`a%5Cb.jpg`, a byte 0xFF that is no UTF-8 is `%FF`. A name that needs no escape stands for itself, `100%.jpg` too; one
that would be read as an escaped name has its `%` escaped. So two names never meet, and each leads back to its bytes.
"""

from __future__ import annotations

import os
import re
import sys

_CODE = re.compile(rb"%([0-9A-F]{2})")
_DEVICE = r"(?i:con|prn|aux|nul|conin\$|conout\$|com[0-9\xb9\xb2\xb3]|lpt[0-9\xb9\xb2\xb3])"
_BROKEN = "\x00-\x1f\x7f-\x9f\\\\\ud800-\udfff"  # control characters, the backslash, bytes that are no UTF-8
# What must be escaped: these, the colon of a drive, and the last dot or space, which Windows drops.
_MUST = re.compile(rf"[{_BROKEN}]|(?<=^[A-Za-z]):|[. ]\Z")
_IS_DEVICE = re.compile(rf"{_DEVICE} *(?:\.|\Z)")
_SUSPECT = re.compile(rf"[{_BROKEN}%]|^[A-Za-z]:|[. ]\Z|^{_DEVICE} *(?:\.|\Z)")
_ON_WINDOWS = re.compile(r'[<>:"|?*]')  # allowed in an archive, not in a file's name there


def stored_name(name: str) -> str:
    """Return how an archive names the file `name`, one component of a path as this system gives it."""
    name = _as_utf8(name)
    if not _SUSPECT.search(name) or name in {".", ".."}:
        return name
    return _escaped(name) if _must(name) or _reads_as_escaped(name) else name


def stored_path(path: str) -> str:
    """Return how an archive names a relative path; see `stored_name`."""
    return "/".join(map(stored_name, path.split("/")))


def real_path(stored: str) -> str:
    """Return what a name in an archive stands for, bytes that are no UTF-8 as lone surrogates (`surrogateescape`)."""
    return "/".join(map(_real, stored.split("/"))) if "%" in stored else stored


def file_path(stored: str) -> str:
    """Return the path of the file that is called `stored` in an archive, for this system's calls.

    Windows cannot have most names that are escaped, so they stay as they are there.
    """
    if os.name == "nt":
        return _ON_WINDOWS.sub(lambda found: f"%{ord(found[0]):02X}", stored)
    name = real_path(stored)
    return name if _is_utf8() else os.fsdecode(name.encode("utf-8", "surrogateescape"))


def _real(stored: str) -> str:
    return _decoded(stored) if "%" in stored and _reads_as_escaped(stored) else stored


def _reads_as_escaped(name: str) -> bool:
    """Whether `name` is what `stored_name` makes of another name."""
    if "%" not in name:
        return False
    try:
        decoded = _decoded(name)
    except UnicodeEncodeError:
        return False
    if decoded == name or "\0" in decoded or _escaped(decoded) != name:
        return False
    return _must(decoded) or _reads_as_escaped(decoded)


def _must(name: str) -> bool:
    return name not in {".", ".."} and bool(_MUST.search(name) or _IS_DEVICE.match(name))


def _escaped(name: str) -> str:
    """Escape what must be, and each `%`."""
    if name in {".", ".."}:
        return name
    escaped = _MUST.sub(_codes, name.replace("%", "%25"))
    return _code(ord(name[0])) + escaped[1:] if _IS_DEVICE.match(name) else escaped


def _codes(found: re.Match[str]) -> str:
    try:
        data = found[0].encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a pair, as Windows allows it
        data = found[0].encode("utf-8", "surrogatepass")
    return "".join(map(_code, data))


def _code(byte: int) -> str:
    return f"%{byte:02X}"


def _decoded(name: str) -> str:
    return _CODE.sub(lambda found: bytes.fromhex(found[1].decode()), name.encode()).decode("utf-8", "surrogateescape")


def _is_utf8() -> bool:
    return sys.getfilesystemencoding().lower().replace("-", "") == "utf8"


def _as_utf8(name: str) -> str:
    """Return the name as it reads in UTF-8, whatever the locale: a name is its bytes."""
    return name if _is_utf8() or os.name == "nt" else os.fsencode(name).decode("utf-8", "surrogateescape")
