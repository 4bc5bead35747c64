"""What a `compress` run goes by: what it was asked for, else what the archive remembers, else the defaults."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from batchcomp.archive import ArchiveWriter
from batchcomp.archive.segments import SETTINGS_NAME
from batchcomp.archive.settings_file import Remembered, differing, read_settings, settings_bytes
from batchcomp.codec.weights import DEFAULT, lasting_name
from batchcomp.errors import UsageError
from batchcomp.places import Place
from batchcomp.settings import MEASURING, CompressSettings, Target

NAMES: Final = ("quality", "target", "model", "pack", "codec", "effort", "measure")  # fields of CompressSettings


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What a run goes by.

    Attributes:
        settings: of the run.
        changed: whether the archive remembers otherwise, or nothing.
        problem: why what is remembered could not be used, one line, or "".
        notes: lines that a person should read.
    """

    settings: CompressSettings
    changed: bool
    problem: str = ""
    notes: tuple[str, ...] = ()


def settle(
    archive: Place, asked: Mapping[str, Any], given: Collection[str], configured: Collection[str] = ()
) -> Settled:
    """Return the settings of a run.

    Args:
        archive: the archive's folder, which need not be there.
        asked: fields of `CompressSettings`.
        given: the names of those that were asked for in so many words: they win over what the archive remembers.
        configured: the names of those that come from a configuration file: what the archive remembers wins.

    Raises:
        UsageError: they make no sense together.
    """
    found = read_settings(archive)
    before = _fitting(_fields(found), {name: asked[name] for name in given if name in asked})
    used = {name: value for name, value in before.items() if name not in given}
    try:
        settings = CompressSettings(archive=archive, **{**asked, **used})
    except UsageError as error:
        if not used or _refusal(archive, asked) == str(error):  # what is remembered has no part in it
            raise
        ours = ", ".join(f"{name} {_said(name, value)}" for name, value in used.items())
        raise UsageError(f"{error}; {archive} remembers {ours}") from error
    notes = [
        f"{archive}: {name} {_said(name, used[name])} is remembered, so that {_said(name, asked[name])} of the "
        "configuration file is not used; give it as an option to change that"
        for name in configured
        if name in used and used[name] != asked.get(name)
    ]
    changed = bool(differing(found, _remembered(settings)))
    return Settled(settings=settings, changed=changed, problem=found.problem, notes=tuple(notes))


def note_settings(writer: ArchiveWriter, settings: CompressSettings) -> None:
    """Have the archive remember what it is written with.

    Raises:
        ArchiveError: the disk refuses.
    """
    said = _remembered(settings)
    data = settings_bytes(settings.archive, **{name: getattr(said, name) for name in NAMES})
    if data is not None:
        writer.put(SETTINGS_NAME, data)


def asked_for(settings: CompressSettings, *, model: bool) -> str:
    """Say what new and changed pictures are stored with, by which model where that matters."""
    how = [] if settings.target else [f"quality {settings.quality}"]
    how += [settings.recipe] if settings.recipe else []
    how += [f"model {Path(settings.model or DEFAULT).name}"] if model else []
    return ", ".join(how)


def _remembered(settings: CompressSettings) -> Remembered:
    return Remembered(
        quality=settings.quality,
        target=str(settings.target) if settings.target else "",
        model=lasting_name(settings.model),
        pack=settings.pack,
        codec=settings.codec,
        effort=settings.effort,
        measure=settings.measure,
    )


def _fields(found: Remembered) -> dict[str, Any]:
    """What is remembered, as fields of `CompressSettings`."""
    known = {name: getattr(found, name) for name in NAMES if getattr(found, name) is not None}
    if "target" in known:
        known["target"] = _target(known["target"])
    if "model" in known:
        known["model"] = None if known["model"] == DEFAULT else Path(known["model"])
    return known


def _target(text: str) -> Target | None:
    kind, _, value = text.partition(" ")
    try:
        return Target(kind=kind, value=float(value)) if text else None
    except (KeyError, ValueError, UsageError):  # of a later version, or by another hand
        return None


def _fitting(known: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is remembered without what contradicts that which was given."""
    return {name: value for name, value in known.items() if name not in set(_beaten(given))}


def _beaten(given: Mapping[str, Any]) -> Iterator[str]:
    if "quality" in given:
        yield "target"
    if given.get("codec", "jpeg") != "jpeg":
        yield from ("pack", "effort")
    if given.get("pack") or given.get("effort"):
        yield "codec"
    if (target := given.get("target")) and target.kind in MEASURING:
        yield "measure"


def _refusal(archive: Place, asked: Mapping[str, Any]) -> str:
    """Return what is wrong with the settings of an archive that remembers nothing, "" for nothing."""
    try:
        CompressSettings(archive=archive, **asked)
    except UsageError as error:
        return str(error)
    return ""


def _said(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if name == "model":
        return str(value or DEFAULT)
    return "none" if value is None else str(value)
