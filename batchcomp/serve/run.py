"""The web server around the gallery."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

import uvicorn

from batchcomp.errors import UsageError
from batchcomp.serve.app import application
from batchcomp.serve.gallery import Gallery
from batchcomp.serve.guard import is_address, is_loopback

MOST_CONNECTIONS: Final = 256  # beyond them requests are answered with 503
KEEP_ALIVE: Final = 30  # seconds that an idle connection stays open
GRACE: Final = 5  # seconds for answers that are being sent when the server ends


class _Server(uvicorn.Server):
    """Says when it answers, and ends in good order at a signal, which is how a server ends: the caller goes on."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See `uvicorn.Server`."""
        await super().startup(sockets)
        if self.started:
            self._on_start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See `uvicorn.Server`; the signal is not raised again."""
        super().handle_exit(sig, frame)
        self._captured_signals.clear()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        UsageError: the address is not this machine's, or the port is taken or not allowed.
    """
    try:
        ((family, kind, _, _, address), *_) = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise UsageError(f"--host {host}: {error.strerror or error}; name an address of this machine") from error
    found = socket.socket(family, kind)
    try:
        if hasattr(socket, "SO_REUSEADDR") and not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # Windows means something else by it
        found.bind(address)
        found.listen(128)
    except OSError as error:
        found.close()
        step = (
            "choose another --port, or 0 for any" if error.errno in {errno.EADDRINUSE, errno.EACCES} else "check --host"
        )
        raise UsageError(f"{host}:{port}: {error.strerror or error}; {step}") from error
    return found


def names_of(host: str, more: Sequence[str]) -> frozenset[str]:
    """Return the names that `Host` may have for a server that listens at `host`; addresses may always stand there."""
    names = {"localhost", *(name.rstrip(".").lower() for name in more)}
    if not is_loopback(host):
        machine = socket.gethostname().lower()
        names |= {machine, machine.partition(".")[0], f"{machine.partition('.')[0]}.local"}
    if not is_address(host):
        names.add(host.lower())
    return frozenset(names)


def serve(
    gallery: Gallery,
    listening: socket.socket,
    *,
    names: frozenset[str],
    token: str = "",
    on_start: Callable[[], None] = lambda: None,
) -> None:
    """Answer until SIGINT or SIGTERM.

    Args:
        gallery: what is served; closed at the end.
        listening: where; closed at the end.
        names: that `Host` may have.
        token: what must be known, "" for nothing.
        on_start: called once requests are answered.
    """
    config = uvicorn.Config(
        application(gallery, hosts=names, token=token),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="on",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    _Server(config, on_start).run(sockets=[listening])
