"""The application: every command, and the one place where an error becomes an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from batchcomp import __version__
from batchcomp.cli import (
    bench,
    compress,
    console,
    decode,
    diff,
    doctor,
    export,
    index,
    listing,
    preview,
    prune,
    repair,
    report,
    serve,
    session,
    signals,
    train,
    unpack,
    verify,
)
from batchcomp.cli.common import with_common
from batchcomp.cli.config import path_of
from batchcomp.cli.help import Command, HelpGroup
from batchcomp.cli.memory import TOO_LITTLE_MEMORY, lacks_memory, require_room
from batchcomp.cli.refusals import refusal
from batchcomp.cli.streams import discard
from batchcomp.errors import BatchcompError, ExitCode, OutputError

INTERRUPTED = "interrupted; what was finished is kept, run again to go on"

EPILOG = (
    "Exit codes: 0 done, 1 fatal, 2 usage, 3 finished but some files failed, 4 damage found, "
    "10 no archive, 11 locked, 129 hung up, 130 interrupted, 143 terminated."
)


class Subgroup(HelpGroup):
    """A command that has subcommands."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command; what is wrong with its options must be said as JSON too, before they are parsed."""
        name, command, rest = super().resolve_command(ctx, args)
        names = [*path_of(ctx), name or ""]
        session.begin(command=" ".join(names), as_json=asks_for_json(command, rest))
        return name, command, rest


class Group(Subgroup):
    """Turns whatever ends a command into its exit code, one line on stderr and the last JSON line."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Take `help COMMAND` as `COMMAND --help`."""
        if args[:1] == ["help"]:
            if len(args) == 1:
                typer.echo(ctx.get_help())
                raise typer.Exit
            args = [*args[1:], "--help"]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        session.begin()
        try:
            return super().invoke(ctx)
        except typer.Exit as end:
            _close(end.exit_code)
            raise
        except BatchcompError as error:
            raise typer.Exit(_close(error.exit_code, str(error), error)) from error
        except KeyboardInterrupt as error:
            raise typer.Exit(_close(signals.exit_code(error), INTERRUPTED, error)) from error
        except BrokenPipeError as error:  # the reader of a pipe (head, less) has had enough
            discard(sys.stdout)
            raise typer.Exit(ExitCode.NO_READER) from error
        except Exception as error:  # wrong usage, which typer says itself; a refusal; or a bug, which must be loud
            if lacks_memory(error):
                raise typer.Exit(_close(ExitCode.FATAL, TOO_LITTLE_MEMORY, error)) from error
            if isinstance(error, OSError) and (refused := refusal(error)):
                raise typer.Exit(_close(ExitCode.FATAL, refused, error)) from error
            _escape_usage(error)
            _close(getattr(error, "exit_code", ExitCode.FATAL), _reason(error), said=False)
            raise
        finally:
            session.current().close()


def asks_for_json(command: Any, words: list[str]) -> bool:
    """Whether `--json` is among the words, and means JSON lines."""
    flags = [name for parameter in command.params if parameter.name == "as_json" for name in parameter.opts]
    return any(flag in words for flag in flags)


def _close(code: int, text: str = "", error: BaseException | None = None, *, said: bool = True) -> int:
    """Say why a command ends, also as its last JSON line, and return the exit code."""
    text = "; ".join([text, *getattr(error, "__notes__", ())])
    try:
        console.close(code, text, said=said)
    except BrokenPipeError:
        discard(sys.stdout)
    except OutputError as failure:
        discard(sys.stdout)
        if not isinstance(error, OutputError):
            console.say(f"batchcomp: {failure}", style=console.PROBLEM)
    if isinstance(error, OutputError):  # Python would try what is left in the buffer once more, and end with 120
        discard(sys.stdout)
    return code


def _escape_usage(error: Any) -> None:
    """A message of typer's quotes what was typed, which may be a name out of a hostile folder."""
    if isinstance(getattr(error, "message", None), str):
        error.message = "\n".join(map(console.shown, error.message.split("\n")))


def _reason(error: Exception) -> str:
    message = getattr(error, "message", None)  # of a usage error
    return str(message or f"unexpected {type(error).__name__}: {error}; please report it")


app = typer.Typer(
    name="batchcomp",
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"batchcomp {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Archive folders of photos as standard JPEGs that two small neural networks make much better."""
    del version  # handled eagerly
    require_room(ctx.invoked_subcommand or "")


COMMANDS: dict[str, Callable[..., None]] = {
    "compress": compress.compress,
    "preview": preview.preview,
    "decode": decode.decode,
    "report": report.report,
    "serve": serve.serve,
    "list": listing.list_pictures,
    "verify": verify.verify,
    "diff": diff.diff,
    "prune": prune.prune,
    "repair": repair.repair,
    "export": export.export,
    "index": index.index,
    "doctor": doctor.doctor,
    "unpack": unpack.unpack,
}
GROUPS = {"bench": bench, "train": train}  # commands with subcommands: packages with a HELP and COMMANDS of their own

for name, command in COMMANDS.items():
    app.command(name, cls=Command)(with_common(command))
for name, package in GROUPS.items():
    group = typer.Typer(cls=Subgroup, help=package.HELP, no_args_is_help=True, rich_markup_mode=None)
    for subname, command in package.COMMANDS.items():
        group.command(subname, cls=Command)(with_common(command))
    app.add_typer(group, name=name)
