"""A proxy before a store on this machine's loopback that spoils what passes: bad weather on demand."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

PASS: Final = "pass"  # noqa: S105  # no password
FAIL: Final = "fail"  # the answer is 503, and the store does not hear of it
RESET: Final = "reset"  # the connection is reset, and the store does not hear of it
LOSE: Final = "lose"  # the store does what was asked for, and the answer is lost

Decide = Callable[[str, str, int], str]
"""From the method, the path (without query) and how often that was asked for before to what becomes of a request.

Any other text than those above is the body of a 403.
"""


class Proxy(ThreadingHTTPServer):
    """A proxy that runs. `decide` may be changed at any time; `seen` counts the requests by method and path."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = target.partition("//")[2]
        self.endpoint = f"http://127.0.0.1:{self.server_port}"
        self.decide: Decide = lambda _method, _path, _before: PASS
        self.seen: Counter[tuple[str, str]] = Counter()
        self.spoiled = 0
        self._lock = threading.Lock()

    def fate(self, method: str, path: str) -> str:
        """Count a request and say what becomes of it."""
        with self._lock:
            before = self.seen[method, path]
            self.seen[method, path] += 1
            fate = self.decide(method, path, before)
            self.spoiled += fate != PASS
            return fate

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no news."""

    def shutdown_request(self, request: Any) -> None:
        with suppress(OSError):
            super().shutdown_request(request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def log_message(self, *_: object) -> None:
        pass

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fate = self.server.fate(self.command, self.path.partition("?")[0])
        answer = self._forwarded(body) if fate in {PASS, LOSE} else None
        if fate == PASS and answer:
            self._answer(*answer)
        elif fate in {RESET, LOSE}:
            self._reset()
        elif fate == FAIL:
            self._answer(503, {}, b"<Error><Code>SlowDown</Code></Error>")
        else:
            self._answer(403, {}, fate.encode())

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _handle  # noqa: N815  # names of http.server's

    def _forwarded(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.server.host, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() != "connection":
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, dict(answer.headers), answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {"connection", "transfer-encoding", "content-length"}:
                self.send_header(name, value)
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


@contextmanager
def proxy(target: str) -> Iterator[Proxy]:
    """Stand before the server at `target` for as long as the context lasts."""
    with Proxy(target) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
