"""Who may ask: the Host header, where a request comes from, the token, and what every answer says to browsers.

A page of a stranger that is open in the same browser can send requests to any address. What keeps it out: an unknown
name in `Host` is refused (DNS rebinding), requests that a browser says come from another site are, and answers may not
be embedded elsewhere. Whoever may use the address needs the token, if there is one.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Collection, Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNKNOWN: Final = "This gallery needs its token: open the whole address that `batchcomp serve` printed.\n"
WRONG_HOST: Final = (
    "This name is not known here: use the address that `batchcomp serve` printed, "
    "or allow the name with --allow-host.\n"
)
OTHER_SITE: Final = "Other sites may not ask.\n"
HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
CLOSED: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"  # of whatever is no page
_YEAR: Final = 365 * 24 * 3600
_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::[0-9]{1,5})?")


def is_address(host: str) -> bool:
    """Tell whether a host is an IP address: no name that could be made to lead here."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Tell whether an address to listen at is reached from this machine only."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


class Guard:
    """ASGI middleware.

    Args:
        app: what answers.
        hosts: names that `Host` may have beside IP addresses, such as "localhost"; in lower case.
        token: what must be known, "" for nothing.
    """

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], token: str = "") -> None:
        self._app, self._hosts, self._token = app, frozenset(hosts), token
        self._sign = hashlib.sha256(b"batchcomp serve\0" + token.encode()).hexdigest()  # the cookie; not the token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        refused = self._refuse(Request(scope))

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", CLOSED)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await (refused or self._app)(scope, receive, send_marked)

    def _refuse(self, request: Request) -> Response | None:
        """Return what is said to who may not ask, None to who may."""
        if not self._is_known(request.headers.get("host", "")):
            return PlainTextResponse(WRONG_HOST, 421)
        entering = request.url.path == "/" and request.headers.get("sec-fetch-mode", "navigate") == "navigate"
        if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"} and not entering:
            return PlainTextResponse(OTHER_SITE, 403)
        return self._ask_token(request) if self._token else None

    def _is_known(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match[1] or match[2]
        return is_address(name) or name.rstrip(".").lower() in self._hosts

    def _ask_token(self, request: Request) -> Response | None:
        name = f"batchcomp-{request.url.port or 80}"  # browsers keep cookies apart by host, not by port
        given = request.query_params.get("token")
        if given is not None and request.url.path == "/" and _same(given, self._token):
            answer = RedirectResponse("/", 303)  # so that the token does not stay in the address
            # lax: else a link in a message would set the cookie and not bring it along at once
            answer.set_cookie(name, self._sign, max_age=_YEAR, httponly=True, samesite="lax")
            return answer
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(bearer.strip(), self._token):
            return None
        if _same(request.cookies.get(name, ""), self._sign):
            return None
        return PlainTextResponse(UNKNOWN, 401)


def _same(given: str, wanted: str) -> bool:
    """Compare in a time that tells nothing of how much is right."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())
