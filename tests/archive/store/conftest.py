"""Stores to test with."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchcomp.archive.store import Folder, Store
from batchcomp.archive.store.bucket import Bucket, connect
from batchcomp.archive.store.objects import Objects
from batchcomp.archive.store.opening import forget
from batchcomp.places import Url

from . import seaweed


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[seaweed.Server]:
    """SeaweedFS, started once for all tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / "seaweed"
    folder.mkdir(exist_ok=True)
    with seaweed.shared(folder) as running:
        yield running


@pytest.fixture
def s3(server: seaweed.Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Url]:
    """An address that nothing lies at, in a store that the environment leads to."""
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    forget()
    yield Url("s3", seaweed.BUCKET, f"{secrets.token_hex(6)}/photos.bca")
    forget()


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
