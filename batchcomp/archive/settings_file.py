"""What an archive was last written with: `settings.json` beside its segments. See docs/format.md.

    quality = read_settings(folder).quality  # None: never said
    remember(folder, quality=55)  # under the writer's lock

The file is a help, not a part of the archive: where it is missing or damaged nothing is remembered, and nothing else
happens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from batchcomp.archive import durable
from batchcomp.archive.segments import SETTINGS_NAME
from batchcomp.archive.store import Location, Store, store_of

FORMAT: Final = "batchcomp-settings"
VERSION: Final = 1
MAX_BYTES: Final = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """The settings of the run before; None is what no run has said yet.

    Attributes:
        quality: 1 to 100.
        target: as on the command line, without dashes ("max-bytes 6000"); "" for none.
        model: a shipped model's name, or the absolute path of a file.
        pack: whether payloads are packed.
        codec: what holds the compact pictures.
        effort: 0 to 9.
        measure: how pictures are measured, `none` where they are not.
        problem: why the file could not be used, one line; it is not stored.
    """

    quality: float | None = None
    target: str | None = None
    model: str | None = None
    pack: bool | None = None
    codec: str | None = None
    effort: int | None = None
    measure: str | None = None
    problem: str = ""


def read_settings(where: Location) -> Remembered:
    """Return what an archive remembers; nothing where the file is missing, damaged or of a later version.

    A single value that breaks the rules makes the file count as damaged: half of what was asked for is not asked for.
    """
    store = store_of(where)
    try:
        value = _parse(store)
        return Remembered(**_checked(value)) if value is not None else Remembered()
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return Remembered(
            problem=f"{store.shown(SETTINGS_NAME)}: cannot be used ({reason}); it counts as if it were not there"
        )


def settings_bytes(where: Location, **changes: Any) -> bytes | None:
    """Return the file with some values changed, None where it says that already. Unknown members are kept.

    A file of a later version is left as it is, and so is a folder of this name.

    Raises:
        ValueError: there is no such setting, or it cannot have that value.
    """
    _checked(changes)
    unknown = set(changes) - set(_CHECKS)
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: no such setting")
    try:
        known = _parse(store_of(where)) or {}
        _checked(known)
    except (_LaterVersionError, IsADirectoryError):
        return None
    except (OSError, ValueError, RecursionError):
        known = {}
    head = {"format": FORMAT, "version": VERSION}
    value = {**head, **known, **{name: value for name, value in changes.items() if value is not None}}
    return None if value == known else (json.dumps(value, indent=2) + "\n").encode()


def remember(where: Location, **changes: Any) -> None:
    """Note settings (fields of `Remembered`) in an archive, whose lock the caller holds.

    Raises:
        ArchiveError: the disk refuses.
        ValueError: see `settings_bytes`.
    """
    store = store_of(where)
    data = settings_bytes(store, **changes)
    if data is not None:
        with durable.reported(store.shown(SETTINGS_NAME)):
            store.replace(SETTINGS_NAME, data)


def differing(before: Remembered, after: Remembered) -> list[str]:
    """Return the names of the settings that `after` says and `before` does not."""
    after = replace(after, problem=before.problem)
    return [
        field.name
        for field in fields(Remembered)
        if getattr(after, field.name) not in {None, getattr(before, field.name)}
    ]


class _LaterVersionError(ValueError):
    """The file is of a later version."""


def _parse(store: Store) -> dict[str, Any] | None:
    """Return the members of the file; None where there is none. Raises OSError, ValueError, RecursionError."""
    try:
        data = store.read(SETTINGS_NAME, 0, MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if len(data) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES} bytes")
    value = json.loads(data)
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ValueError(f"it is no {FORMAT} file")
    version = value.get("version")
    if type(version) is not int or version < 1:
        raise ValueError("it has no usable version")
    if version > VERSION:
        raise _LaterVersionError(f"version {version}: this build reads up to {VERSION}; upgrade batchcomp")
    return value


def _checked(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the known members; null is as good as missing.

    Raises:
        ValueError: one has the wrong type or is out of range.
    """
    known = {name: value[name] for name in _CHECKS if value.get(name) is not None}
    for name, one in known.items():
        if not _CHECKS[name](one):
            raise ValueError(f"{name} {str(one)[:100]!r} makes no sense")
    return known


def _number(low: float, high: float, *kinds: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in kinds and low <= value <= high


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 4096


def _flag(value: Any) -> bool:
    return type(value) is bool


_CHECKS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "quality": _number(1, 100, int, float),
    "target": _text,
    "model": _text,
    "pack": _flag,
    "codec": _text,
    "effort": _number(0, 9, int),
    "measure": _text,
}

if {field.name for field in fields(Remembered)} != {*_CHECKS, "problem"}:
    raise AssertionError("every field of Remembered needs a check")
