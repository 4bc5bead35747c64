"""The application: every command, and the one place where an error becomes an exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from batchcomp import __version__
from batchcomp.cli import bench, compress, console, decode, doctor, listing, report, train, verify
from batchcomp.errors import TERMINATED, BatchcompError, ExitCode

EPILOG = (
    "Exit codes: 0 done, 1 fatal, 2 usage, 3 finished but some files failed, 4 damage found, "
    "10 no archive, 11 locked, 130 interrupted, 143 terminated."
)


class Group(TyperGroup):
    """Turns our errors into one line and their exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BatchcompError as error:
            console.say(f"batchcomp: {error}", style="red")
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as error:
            console.say("batchcomp: interrupted; what was finished is kept, run again to go on", style="red")
            code = ExitCode.TERMINATED if TERMINATED in error.args else ExitCode.INTERRUPTED
            raise typer.Exit(code) from error


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
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Archive folders of photos as standard JPEGs that two small neural networks make much better."""
    del version  # handled eagerly


COMMANDS: dict[str, Callable[..., None]] = {
    "compress": compress.compress,
    "decode": decode.decode,
    "report": report.report,
    "list": listing.list_pictures,
    "verify": verify.verify,
    "doctor": doctor.doctor,
    "bench": bench.bench,
    "train": train.train,
}
for name, command in COMMANDS.items():
    app.command(name)(command)
