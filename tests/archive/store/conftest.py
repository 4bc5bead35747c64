"""Stores to test with."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchcomp.archive.store import Folder, Store
from batchcomp.archive.store.bucket import Bucket, connect
from batchcomp.archive.store.lease import Lease
from batchcomp.archive.store.objects import Objects
from batchcomp.places import Url


@pytest.fixture(autouse=True)
def no_lease_outlives_its_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A lease that a test leaves behind, as a killed process does, is not renewed into the tests after it."""
    real, stops = Lease._keep, list[threading.Event]()

    def keep(self: Lease, stop: threading.Event) -> None:
        stops.append(stop)
        real(self, stop)

    monkeypatch.setattr(Lease, "_keep", keep)
    yield
    for stop in stops:
        stop.set()


@pytest.fixture(params=["folder", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind."""
    if request.param == "folder":
        folder = Folder(tmp_path / "x.bca")
        folder.create()
        return folder
    if request.param == "memory":
        return Objects(connect(Url("memory", secrets.token_hex(6), "a/b")))
    return Objects(connect(request.getfixturevalue("s3")))


@pytest.fixture
def bucket() -> Bucket:
    """An empty bucket in memory that never waits."""
    found = connect(Url("memory", secrets.token_hex(6)))
    return Bucket(found.url, found.client, sleep=lambda _seconds: None)
