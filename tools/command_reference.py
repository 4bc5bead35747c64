"""Write the reference of all commands from their own `--help`: `python tools/command_reference.py docs/commands.md`.

Without a file it prints the text. A test holds the document against it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from batchcomp.cli.app import app

COLUMNS = 80
HEAD = """# Commands

What `batchcomp COMMAND --help` says at 80 columns, all of it. [usage.md](usage.md) explains how they go together,
[scripting.md](scripting.md) their exit codes and JSON. `python tools/command_reference.py docs/commands.md` wrote this
page.
"""


def commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The paths of a command of typer's and of all below it, in the order of `--help`."""
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from commands(inner, (*path, name))


def help_of(path: tuple[str, ...]) -> str:
    """What a command says of itself.

    Raises:
        RuntimeError: it fails.
    """
    environment = {"COLUMNS": str(COLUMNS), "TERM": "dumb", "NO_COLOR": "1"}
    result = CliRunner().invoke(app, [*path, "--help"], prog_name="batchcomp", env=environment, terminal_width=COLUMNS)
    if result.exit_code:
        raise RuntimeError(f"{' '.join(path)} --help: {result.output}")
    return "\n".join(line.rstrip() for line in result.output.strip().splitlines())


def reference() -> str:
    """The whole document."""
    paths = commands(typer.main.get_command(app), ())
    return HEAD + "".join(f"\n## {' '.join(('batchcomp', *path))}\n\n```\n{help_of(path)}\n```\n" for path in paths)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the reference of all commands.")
    parser.add_argument("document", type=Path, nargs="?", help="where to; else it is printed")
    document: Path | None = parser.parse_args().document
    if document:
        document.write_text(reference(), encoding="utf-8")
    else:
        sys.stdout.write(reference())
