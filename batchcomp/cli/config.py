"""The configuration file `batchcomp.toml`: a section a command, keys named like its options.

The options come from the commands themselves, so that a new option can be configured without a line here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer
from platformdirs import user_config_path

from batchcomp.cli.usage import plain_reason
from batchcomp.errors import UsageError

FILE_NAME = "batchcomp.toml"
MAX_CHARACTERS = 1_000_000  # so that a device that never ends is an error
NOT_CONFIGURED = {"config"}  # options that a file cannot set
Defaults = dict[str, dict[str, Any]]  # command -> parameter -> value, as typer's default_map has it


@dataclass(frozen=True, kw_only=True)
class Key:
    """What a key of a section stands for: an option, or the `--no-...` form of one."""

    parameter: Any  # typer's, of a class that it does not export
    negated: bool = False


def default_file() -> Path | None:
    """Return where the file is searched for: `$XDG_CONFIG_HOME/batchcomp/batchcomp.toml` on Linux.

    None for a user without a home, as services and containers have them.
    """
    try:
        return user_config_path("batchcomp", appauthor=False) / FILE_NAME
    except (RuntimeError, KeyError):
        return None


def apply_config(ctx: typer.Context, value: Path | None) -> Path | None:
    """Make the file's values the defaults of the command, for `--config`; return the file that was read, if any.

    Raises:
        UsageError: a file was named that cannot be read, or a file says something that makes no sense.
    """
    path = value or default_file()
    if ctx.resilient_parsing or path is None or (value is None and not _is_there(path)):
        return None
    defaults = _defaults_below(ctx, path, "", read(path), ctx.find_root().command)
    ctx.default_map = defaults.get(".".join(path_of(ctx)), {})
    return path


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a folder that this user may not look into
        return False


def path_of(ctx: Any) -> list[str]:
    """The names of the command that runs, without that of the program: `["bench", "curves"]`."""
    return [*path_of(ctx.parent), ctx.info_name or ""] if ctx.parent else []


def commands_of(group: Any) -> dict[str, Any]:
    """The commands of a group by the name of their section; those of a group in it as `bench.curves`."""
    found: dict[str, Any] = {}
    for name, command in getattr(group, "commands", {}).items():
        below = commands_of(command)
        found |= {f"{name}.{sub}": one for sub, one in below.items()} if below else {name: command}
    return found


def read(path: Path) -> dict[str, Any]:
    """Parse the file.

    Raises:
        UsageError: it cannot be read, or is no TOML.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_CHARACTERS + 1)
        return tomllib.loads(text if len(text) <= MAX_CHARACTERS else "too long")  # which is no TOML
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a file that can be read with --config") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is not valid TOML: {error}; correct it") from error


def keys_of(command: Any) -> dict[str, Key]:
    """Return the keys that the section of a command may have: its long options without the dashes."""
    keys: dict[str, Key] = {}
    for parameter in command.params:
        if parameter.param_type_name == "option":
            keys |= {name[2:]: Key(parameter=parameter) for name in parameter.opts if name.startswith("--")}
            keys |= {name[2:]: Key(parameter=parameter, negated=True) for name in parameter.secondary_opts}
    return {name: key for name, key in keys.items() if name not in NOT_CONFIGURED}


def _defaults_below(
    ctx: typer.Context, path: Path, prefix: str, sections: Mapping[str, object], group: Any
) -> Defaults:
    """The values of all sections of a group's commands, checked; of `[bench.curves]` under `bench.curves`."""
    commands: Mapping[str, Any] = getattr(group, "commands", {})
    _must_be_one_of(path, f"[{prefix.rstrip('.')}] " if prefix else "", sections, commands, "command")
    found: Defaults = {}
    for key, section in sections.items():
        name, command = f"{prefix}{key}", commands[key]
        if not isinstance(section, dict):
            raise UsageError(f"{path}: {name}: expected a section, [{name}], with options in it")
        if getattr(command, "commands", None):
            found |= _defaults_below(ctx, path, f"{name}.", section, command)
        else:
            found[name] = _defaults(ctx, path, name, section, command)
    return found


def _defaults(ctx: typer.Context, path: Path, name: str, section: Mapping[str, object], command: Any) -> dict[str, Any]:
    keys = keys_of(command)
    _must_be_one_of(path, f"[{name}] ", section, keys, "option")
    return {
        keys[key].parameter.name: _value(ctx, f"{path}: [{name}] {key}", keys[key], value)
        for key, value in section.items()
    }


def _must_be_one_of(path: Path, where: str, found: Iterable[str], known: Iterable[str], what: str) -> None:
    for name in found:
        if name not in (names := list(known)):
            near = get_close_matches(name.replace("_", "-").removeprefix("--"), names, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(names)}"
            raise UsageError(f"{path}: {where}{name}: no such {what}; {hint}")


def _value(ctx: typer.Context, where: str, key: Key, value: object) -> object:
    """Return what the command line would have given, checked as it is checked there."""
    parameter = key.parameter
    if getattr(parameter, "is_flag", False):
        if not isinstance(value, bool):
            raise UsageError(f"{where} = {value!r}: expected true or false")
        return value is not key.negated
    if parameter.multiple:
        words: Any = [_word(where, one) for one in (value if isinstance(value, list) else [value])]
    else:
        words = _word(where, value)
    try:
        checked = parameter.process_value(ctx, words)
    except typer.BadParameter as error:
        raise UsageError(f"{where} = {value!r}: {plain_reason(error, with_value=False)}") from error
    return str(checked.expanduser()) if isinstance(checked, Path) else words  # no shell has seen the ~


def _word(where: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UsageError(f"{where} = {value!r}: expected text or a number")
    return str(value)
