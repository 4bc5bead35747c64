"""`batchcomp serve`."""

from __future__ import annotations

import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from batchcomp.cli import console
from batchcomp.cli.options import MOST, ArchiveArg, DeviceOpt, ModelOpt
from batchcomp.errors import UsageError

LOOPBACK = "127.0.0.1"
LEAST_TOKEN = 16  # characters
_WHO = "Who may look"


def serve(
    archive: ArchiveArg = None,
    port: Annotated[int, typer.Option("--port", "-p", min=0, max=65_535, help="0: any that is free.")] = 8300,
    open_browser: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    sources: Annotated[
        list[Path] | None,
        typer.Option(
            "--sources",
            metavar="PATH",
            help="Where the originals are: what compress was given. By default FOLDER beside FOLDER.bca.",
        ),
    ] = None,
    cache: Annotated[
        int,
        typer.Option(
            "--cache", min=0, max=MOST, metavar="MIB", help="Restored pictures to keep, in the temporary folder."
        ),
    ] = 1024,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            rich_help_panel=_WHO,
            help="Address to listen at; any but this machine's asks a token.",
        ),
    ] = LOOPBACK,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            metavar="TOKEN",
            envvar="BATCHCOMP_TOKEN",
            rich_help_panel=_WHO,
            help="What who looks must know, 16 characters or more. By default made anew where one is needed.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", rich_help_panel=_WHO, help="Another name of this machine."),
    ] = None,
    device: DeviceOpt = "auto",
    model: ModelOpt = None,
) -> None:
    """Browse an archive in a browser. A gallery that reads only, for this machine (needs the [serve] extra)."""
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise UsageError(f"serve needs {' and '.join(missing)}: run pip install 'batchcomp[serve]'")
    if token is not None and len(token) < LEAST_TOKEN:
        raise UsageError(f"--token: has {len(token)} characters; at least {LEAST_TOKEN} cannot be guessed")
    from batchcomp.cli.state import choose_archive
    from batchcomp.pages.archived import originals_beside
    from batchcomp.serve import run
    from batchcomp.serve.gallery import Gallery, GallerySettings
    from batchcomp.serve.guard import is_loopback

    folder = choose_archive(archive)
    listening = run.listen(host, port)
    secret = token or ("" if is_loopback(host) else secrets.token_urlsafe(24))
    where = tuple(sources or ()) or originals_beside(folder)
    try:
        gallery = Gallery(
            GallerySettings(archive=folder, sources=where, cache_bytes=cache << 20, device=device, model=model)
        )
    except BaseException:
        listening.close()
        raise
    address = address_of(host, listening.getsockname()[1], secret)

    def say() -> None:
        console.write(f"{console.shown(str(folder))}: {address}\n")
        console.say("Ctrl-C ends it")
        if open_browser:
            import webbrowser

            webbrowser.open(address)

    run.serve(gallery, listening, names=run.names_of(host, allow_host or ()), token=secret, on_start=say)


def address_of(host: str, port: int, token: str) -> str:
    """Return the address to open; of one that stands for all of a machine's addresses, one that leads there."""
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - not listened at here
        import socket

        host = socket.gethostname()
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")
