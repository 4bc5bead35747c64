"""Where the server listens, and which names it answers to."""

from __future__ import annotations

import socket

import pytest

from batchcomp.errors import UsageError
from batchcomp.serve.run import listen, names_of


def test_a_port_that_is_taken_is_told() -> None:
    """The next step is in the message."""
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(UsageError, match=rf"127\.0\.0\.1:{port}: .*choose another --port"):
            listen("127.0.0.1", port)


def test_an_address_of_another_machine_is_told() -> None:
    """192.0.2.0/24 is nobody's (RFC 5737)."""
    with pytest.raises(UsageError, match="check --host"):
        listen("192.0.2.1", 0)
    with pytest.raises(UsageError, match="--host no such name"):
        listen("no such name", 0)


def test_on_this_machine_only_localhost_is_a_name() -> None:
    """Names are added by hand, in any case, with or without the last dot."""
    assert names_of("127.0.0.1", ()) == {"localhost"}
    assert names_of("::1", ("Photos.Example.",)) == {"localhost", "photos.example"}


def test_others_may_use_the_machines_name() -> None:
    """As the network knows it."""
    machine = socket.gethostname().lower()
    assert {"localhost", machine, f"{machine.partition('.')[0]}.local"} <= names_of("0.0.0.0", ())  # noqa: S104
    assert "photos.example" in names_of("photos.example", ())
