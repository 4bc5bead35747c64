"""What a job's file says of how to compress, and the files of a part, as JSON; and how to read that again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from batchcomp.codec.weights import DEFAULT, lasting_name
from batchcomp.errors import ArchiveError, UsageError
from batchcomp.images.names import name_problem
from batchcomp.images.walk import Item
from batchcomp.places import Place, Url, place
from batchcomp.settings import CompressSettings, Limits, Target

PLAIN: Final = ("quality", "measure", "codec", "pack", "effort", "isolate", "recompress", "parity")  # as they are


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What each machine says for itself; all else is the job's. Values are those of `CompressSettings`."""

    device: str = "auto"
    jobs: int = 0
    batch_size: int | None = None
    max_load: float | None = None


def settings_json(settings: CompressSettings, models: Iterable[str]) -> dict[str, Any]:
    """Return what decides how a picture is stored, and the SHA-256 of the models that do it."""
    return {
        **{name: getattr(settings, name) for name in PLAIN},
        "paths": [str(path.resolve()) for path in settings.paths],
        "target": asdict(settings.target) if settings.target else None,
        "verbatim": list(settings.verbatim),
        "limits": asdict(settings.limits),
        "model": lasting_name(settings.model),
        "models": list(models),
    }


def settings_of(archive: Place, value: Mapping[str, Any], machine: Machine) -> CompressSettings:
    """Return the settings of a job's parts on this machine.

    Raises:
        ArchiveError: they make no sense: another version wrote them.
    """
    try:
        limits = Limits(**{field.name: value["limits"][field.name] for field in fields(Limits)})
        return CompressSettings(
            archive=archive,
            paths=tuple(map(place, value["paths"])),
            target=Target(**value["target"]) if value["target"] else None,
            verbatim=tuple(value["verbatim"]),
            limits=limits,
            model=None if value["model"] == DEFAULT else Path(value["model"]),
            **{name: value[name] for name in PLAIN},
            **asdict(machine),
        )
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise ArchiveError(f"{archive}: the settings of the job make no sense ({error}); plan it anew") from error


def item_json(item: Item) -> list[Any]:
    """Return a file to take as JSON."""
    return [str(item.where), item.name, item.size, item.mtime_ns, item.permissions]


def items_of(archive: Place, part: Any) -> list[Item]:
    """Return the files of a part.

    Raises:
        ArchiveError: they make no sense.
    """
    try:
        return [_item(*one) for one in part]
    except (TypeError, ValueError, UsageError) as error:
        raise ArchiveError(f"{archive}: the files of the job make no sense ({error}); plan it anew") from error


def _item(path: str, name: str, size: int, mtime_ns: int, permissions: int) -> Item:
    kinds = [type(one) for one in (path, name, size, mtime_ns, permissions)]
    where = place(path)
    if kinds != [str, str, int, int, int] or name_problem(name) or not (isinstance(where, Url) or where.is_absolute()):
        raise ValueError(f"{name!r:.100}: no file to take")
    if isinstance(where, Url):
        return Item(Path(), name, size, mtime_ns, permissions, where)
    return Item(where, name, size, mtime_ns, permissions)
