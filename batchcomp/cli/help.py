"""What `--help` prints: options in named panels, what they take in plain words, examples; plain text at any width."""

from __future__ import annotations

import re
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from batchcomp.cli.examples import EXAMPLES
from batchcomp.cli.options import MOST
from batchcomp.cli.usage import plain_reason, refuse_empty

OTHERS = "Options"  # the panel of options that name none
EVERY = "Every command"  # comes last
_WORDS = {
    "int": "N",
    "float": "X",
    "str": "TEXT",
    "path": "PATH",
    "file": "FILE",
    "directory": "FOLDER",
    "Path": "PATH",
}
_TYPE = re.compile(r" ?<(?:list\[)?([\w|-]+)\]?(?: range)?>")
_RANGE = re.compile(r"(?<=[\[ ])(?:([\d.]+)<=)?x(?:([<>])=([\d.]+))?(?=\]$)")
_ANY = re.compile(rf"  \[-{MOST}<=x<={MOST}\]$")  # is no range to speak of
_FIRST_COLUMN = 26


def in_plain_words(text: str) -> str:
    """The help of an option: its range and its default as people write numbers."""
    return re.sub(r"(default: \d+)\.0(?=[;\]])", r"\1", _RANGE.sub(_range, _ANY.sub("", text)))


def _range(found: re.Match[str]) -> str:
    least, sign, most = found.groups()
    if least is not None:
        return f"{least} or more" if most == str(MOST) else f"{least} to {most}"
    return f"{most} or {'more' if sign == '>' else 'less'}"


class _Panels:
    """Mixed into what typer makes of a command or a group."""

    def format_options(self: Any, ctx: Any, formatter: Any) -> None:
        """Arguments, then a section a panel, in the order in which the signature names them."""
        panels: dict[str, list[tuple[str, str]]] = {"Arguments": [], OTHERS: []}
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                is_argument = parameter.param_type_name == "argument"
                panel = "Arguments" if is_argument else parameter.rich_help_panel or OTHERS
                if parameter.name == "help":
                    panel = EVERY if EVERY in panels else OTHERS
                panels.setdefault(panel, []).append(_record(*record, is_argument=is_argument))
        panels[EVERY] = panels.pop(EVERY, [])
        for title, rows in panels.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows, col_max=_FIRST_COLUMN)
        if isinstance(self, TyperGroup):
            self.format_commands(ctx, formatter)

    def format_epilog(self: Any, ctx: Any, formatter: Any) -> None:
        """Examples, then what else there is to say."""
        if examples := EXAMPLES.get(ctx.command_path.partition(" ")[2]):
            with formatter.section("Examples"):
                for line, what in examples:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")
                    with formatter.indentation():
                        formatter.write_text(what)
        super().format_epilog(ctx, formatter)  # type: ignore[misc]

    def collect_usage_pieces(self: Any, ctx: Any) -> list[str]:
        """Arguments that must be given stand without braces, as everywhere else."""
        pieces: list[str] = super().collect_usage_pieces(ctx)  # type: ignore[misc]
        return [re.sub(r"^\{(.*)\}", r"\1", piece) for piece in pieces]


def _record(name: str, text: str, *, is_argument: bool) -> tuple[str, str]:
    """The two columns of a parameter; the type of an argument says nothing that its name and its help do not."""
    name = _TYPE.sub("", name) if is_argument else _TYPE.sub(lambda found: f" {_WORDS.get(found[1], found[1])}", name)
    return name, in_plain_words(text)


class Command(_Panels, TyperCommand):
    """A command that says what it does in panels, and of wrong words what is expected."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the words; none may be empty."""
        refuse_empty(args)
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            error.message = plain_reason(error)
            raise


class HelpGroup(_Panels, TyperGroup):
    """A command with subcommands that does likewise."""
