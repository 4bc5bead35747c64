"""Names of the files in an archive's folder."""

from __future__ import annotations

import re
from pathlib import Path

_SEGMENT = re.compile(r"([0-9]{6,})\.zip")
SETTINGS_NAME = "settings.json"  # what the archive was last written with
FAILURES_NAME = "failures.jsonl"  # which files stay outside, and why
_BESIDE = (SETTINGS_NAME, FAILURES_NAME)
_OURS = b'"batchcomp-'  # stands in the first line or two of both
_PARITY = re.compile(r"([0-9]{6,})\.zip\.parity")
_TEMP = re.compile(r"\.[0-9]{6,}\.zip(\.parity)?\.tmp|\.(?:\.lock\.holder|settings\.json|failures\.jsonl)\.[0-9]+\.tmp")


def segment_name(number: int) -> str:
    """Return the file name of a segment, e.g. "000001.zip"."""
    return f"{number:06d}.zip"


def temp_name(number: int) -> str:
    """Return the file name of a segment that is being written, e.g. ".000001.zip.tmp"."""
    return f".{segment_name(number)}.tmp"


def parity_name(number: int) -> str:
    """Return the file name of a segment's recovery data, e.g. "000001.zip.parity"."""
    return f"{segment_name(number)}.parity"


def parity_numbers(folder: Path) -> list[int]:
    """Return the numbers of the segments that have recovery data, ascending."""
    matches = (_PARITY.fullmatch(path.name) for path in folder.iterdir())
    numbers = (int(match[1]) for match in matches if match)
    return sorted(number for number in numbers if number > 0 and (folder / parity_name(number)).is_file())


def aside_names(folder: Path, number: int) -> list[str]:
    """Return the names under which `repair` kept damaged files of a segment, oldest first."""
    pattern = re.compile(rf"{number:06d}\.zip\.damaged(?:-([0-9]+))?")
    matches = (pattern.fullmatch(path.name) for path in folder.iterdir())
    return [name for _, name in sorted((int(match[1] or 1), match[0]) for match in matches if match)]


def next_aside(folder: Path, number: int) -> Path:
    """Return a free name for keeping a damaged segment: "000001.zip.damaged", then "...damaged-2" and so on."""
    last = aside_names(folder, number)[-1:]
    count = int(last[0].rpartition("-")[2]) + 1 if last and "-" in last[0] else len(last) + 1
    return folder / f"{segment_name(number)}.damaged{f'-{count}' if count > 1 else ''}"


def segment_numbers(folder: Path) -> list[int]:
    """Return the numbers of the segments in `folder`, ascending; other files are ignored."""
    matches = (_SEGMENT.fullmatch(path.name) for path in folder.iterdir())
    numbers = (int(match[1]) for match in matches if match)
    return sorted(number for number in numbers if number > 0 and (folder / segment_name(number)).is_file())


def left_over_temps(folder: Path) -> list[Path]:
    """Return the temporary files in `folder`; while the lock is held they can only be a dead writer's."""
    return sorted(path for path in folder.iterdir() if _TEMP.fullmatch(path.name))


def is_foreign(folder: Path) -> bool:
    """Tell whether `folder` is no archive but holds other files (hidden ones and our own do not count)."""
    if segment_numbers(folder):
        return False
    return any(not path.name.startswith(".") and not is_beside(path) for path in folder.iterdir())


def is_beside(path: Path) -> bool:
    """Tell whether a file is one of those that archives have beside their segments, by its name and its beginning."""
    if path.name not in _BESIDE:
        return False
    try:
        with path.open("rb") as file:
            return _OURS in file.read(64)
    except OSError:
        return False
