"""What the shell offers at TAB beyond options and commands. Other files are left to the shell itself."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import typer

# Completion passes through the shell's own evaluation (zsh), so a name must be harmless in it.
_HARMLESS = re.compile(r"[\w./@+,=%-]+")
MOST = 500  # offers


def archives(incomplete: str) -> list[str]:
    """Return the archives (`NAME.bca/`) that the word could become; none means that the shell offers its files."""
    folder = os.path.dirname(incomplete)  # noqa: PTH120 - of what was typed: "./a" must stay "./a"
    try:
        with os.scandir(folder or ".") as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(".bca") and entry.is_dir())
    except OSError:
        return []
    found = [os.path.join(folder, name) for name in names]  # noqa: PTH118 - as above
    return [path for path in found if path.startswith(incomplete) and _HARMLESS.fullmatch(path)]


def choice(*values: str) -> Callable[[str], list[str]]:
    """Return what offers these values."""
    return lambda incomplete: [value for value in values if value.startswith(incomplete)]


def listed(values: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Return what offers the values not named yet of a list with commas: `jpeg,av` becomes `jpeg,avif`."""

    def offer(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        taken = before.split(",")
        return [f"{before}{comma}{one}" for one in values() if one.startswith(last) and one not in taken]

    return offer


def models(incomplete: str) -> list[str]:
    """Return the shipped models that the word could become; none means that the shell offers its files."""
    from batchcomp.models import MODELS

    inner = {model.fine for model in MODELS.values()}  # chosen by themselves where they are better
    return [name for name in MODELS if name.startswith(incomplete) and name not in inner]


def sorts(incomplete: str) -> list[str]:
    """Return the columns that a report can be sorted by."""
    from batchcomp.report.rows import SORTS

    return [name for name in SORTS if name.startswith(incomplete)]


def rivals(incomplete: str) -> list[str]:
    """Return the codecs that `bench` knows, as a list with commas."""
    from batchcomp.benchmark.rivals import RIVALS

    return listed(lambda: RIVALS)(incomplete)


def inside(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the paths in the archive named before that the word could become, a folder at a time as a shell does.

    What is wrong with the archive is not said here: pressing TAB must not fail.
    """
    from batchcomp.cli.state import guessed_archive
    from batchcomp.errors import BatchcompError
    from batchcomp.index import ArchiveIndex
    from batchcomp.index.conditions import CURRENT, begins_with

    named: Any = ctx.params.get("archive") or ctx.params.get("source")
    try:
        folder = Path(named) if named else guessed_archive()
        if folder is None:
            return []
        start = len(incomplete.rpartition("/")[0])
        with ArchiveIndex.open(folder) as index:
            stored = index.stored(CURRENT & begins_with(incomplete))
            found = {_up_to_folder(one.path, start + 1) for one in stored}
    except (BatchcompError, OSError, UnicodeError):
        return []
    return sorted(name for name in found if _HARMLESS.fullmatch(name))[:MOST]


def _up_to_folder(path: str, start: int) -> str:
    """The path to the end of the first folder that begins from `start` on, or all of it."""
    end = path.find("/", start)
    return path if end < 0 else path[: end + 1]
