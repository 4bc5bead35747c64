"""What files are that are no pictures, told by suffix and first bytes, so that messages can name them."""

from __future__ import annotations

import re
import stat
from pathlib import PurePath
from typing import Final

VIDEO: Final = "video"
PIPE, SOCKET, DEVICE, FOLDER = "pipe", "socket", "device", "folder"
SPECIAL: Final = frozenset((PIPE, SOCKET, DEVICE))  # kinds of what holds no content that could be stored
PLAIN: Final = "other"  # of a suffix that is none, or that nobody should see in full
_VIDEO_SUFFIXES: Final = frozenset(
    (".mp4", ".m4v", ".mov", ".qt", ".avi", ".mkv", ".webm", ".mts", ".m2ts", ".mpg", ".mpeg", ".m2v", ".vob", ".wmv",
     ".asf", ".flv", ".3gp", ".3g2", ".ogv", ".mxf", ".insv", ".lrv", ".360", ".braw", ".r3d")
)  # fmt: skip
_VIDEO: Final = re.compile(
    rb"....ftyp(?:isom|iso\d|mp4|M4V|avc1|qt  |3g[p2]|dash|MSNV|XAVC|f4v|mmp4|hvc1)"  # ISO base media and QuickTime
    rb"|....(?:moov|mdat|wide|pnot)"  # QuickTime before there were brands
    rb"|\x1aE\xdf\xa3|RIFF....AVI |0&\xb2u\x8ef\xcf\x11|FLV\x01|\0\0\x01[\xba\xb3]|\x06\x0e\x2b\x34\x02\x05\x01\x01",
    re.DOTALL,
)  # Matroska and WebM, AVI, ASF (WMV), Flash, MPEG, MXF
_SUFFIX: Final = re.compile(r"\.[A-Za-z0-9_]{1,10}")


def is_video(name: str, head: bytes = b"") -> bool:
    """Tell by its first bytes, or by its suffix, whether a file is a video."""
    return bool(_VIDEO.match(head)) or PurePath(name).suffix.lower() in _VIDEO_SUFFIXES


def what(name: str, head: bytes = b"") -> str:
    """Say of a file that is no picture what it is, for a message."""
    return "a video, not a picture" if is_video(name, head) else "not a picture"


def kind_of(name: str) -> str:
    """Return the kind under which such a file is summed up: "video .mov", ".txt", "other"."""
    suffix = PurePath(name).suffix.lower()
    if not _SUFFIX.fullmatch(suffix):
        return PLAIN
    return f"{VIDEO} {suffix}" if suffix in _VIDEO_SUFFIXES else suffix


def special_kind(mode: int) -> str:
    """Return the kind of something that is neither file nor link, by its `st_mode`."""
    if stat.S_ISFIFO(mode):
        return PIPE
    if stat.S_ISSOCK(mode):
        return SOCKET
    return FOLDER if stat.S_ISDIR(mode) else DEVICE


def verbatim_hint(name: str) -> str:
    """Return the option that stores a file as it is, and all of its kind: `--verbatim '*.mov'`."""
    suffix = PurePath(name).suffix
    return f"--verbatim '*{suffix}'" if _SUFFIX.fullmatch(suffix) else "--verbatim GLOB"
