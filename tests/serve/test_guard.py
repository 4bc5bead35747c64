"""Who may ask, and what every answer forbids browsers."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchcomp.serve.guard import HEADERS, is_loopback
from tests.serve.conftest import Ask

TOKEN = "a token of many characters"  # noqa: S105 - of a test


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8300", "localhost.", "127.0.0.1:80", "[::1]:8300", "192.168.1.9"]
)
def test_known_names_and_addresses_are_answered(made: Path, ask: Ask, host: str) -> None:
    """An address cannot be made to lead here by a stranger's name server."""
    assert ask(made).get("/api/folders", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8300", "a b", "[::1", ""]
)
def test_other_names_are_refused(made: Path, ask: Ask, host: str) -> None:
    """DNS rebinding: a stranger's name that leads to this address gets nothing, not even the page."""
    client = ask(made)
    assert client.get("/", headers={"Host": host}).status_code == 421
    assert client.get("/api/pictures", headers={"Host": host}).status_code == 421


def test_requests_from_other_sites_are_refused(made: Path, ask: Ask) -> None:
    """No other page embeds a picture; a link leads to the page all the same."""
    client = ask(made)
    for site in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
        assert client.get("/api/pictures", headers=headers).status_code == 403
        assert client.get("/", headers=headers).status_code == 403
        link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
        assert client.get("/", headers=link).status_code == 200
        assert client.get("/api/pictures", headers=link).status_code == 403
    assert client.get("/api/pictures", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_without_the_token_there_is_nothing(made: Path, ask: Ask) -> None:
    """Page, list and pictures ask for it; a wrong one, or the hash that the cookie is not made of, does not help."""
    client = ask(made, token=TOKEN)
    for address in ("/", "/api/pictures", "/thumb/x", "/nowhere", f"/?token={TOKEN}x", f"/api/pictures?token={TOKEN}"):
        found = client.get(address, follow_redirects=False)
        assert (found.status_code, found.headers.get("set-cookie")) == (401, None)
    for cookie in (b"", TOKEN.encode(), b"0" * 64, b"\xe4\xff"):
        assert client.get("/", headers={"Cookie": b"batchcomp-80=" + cookie}).status_code == 401
    assert client.get("/", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_the_token_in_the_address_becomes_a_cookie(made: Path, ask: Ask) -> None:
    """The address without it is shown from then on; the cookie is not the token and scripts cannot read it."""
    client = ask(made, token=TOKEN)
    entered = client.get("/", params={"token": TOKEN}, follow_redirects=False)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert TOKEN not in cookie
    assert client.get("/").status_code == 200
    assert client.get("/api/pictures").status_code == 200


def test_scripts_may_bring_the_token_in_a_header(made: Path, ask: Ask) -> None:
    """As in curl -H "Authorization: Bearer TOKEN"."""
    assert ask(made, token=TOKEN).get("/api/pictures", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_every_answer_forbids_what_is_not_needed(made: Path, ask: Ask) -> None:
    """Errors too: no guessing of types, no frames, nothing embedded elsewhere; only the page may run its script."""
    client = ask(made)
    for address in ("/", "/api/pictures", "/thumb/x", "/nowhere"):
        found = client.get(address)
        assert {name: found.headers.get(name) for name in HEADERS} == HEADERS
        policy = found.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in policy
        assert ("script-src" in policy) == (address == "/")
        assert "unsafe" not in policy
    assert client.get("/").text.count("script-src &#39;sha256-") == 1
    assert client.post("/api/pictures").status_code == 405


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_only(host: str) -> None:
    """Where nobody else can ask no token is needed."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.9", "photos.example"])  # noqa: S104
def test_other_machines_too(host: str) -> None:
    """A name counts as one that others reach."""
    assert not is_loopback(host)
