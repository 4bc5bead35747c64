"""An archive, and a client that asks for it without a network."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from batchcomp.serve.app import application
from tests.serve.samples import make_archive, open_gallery

Ask = Callable[..., TestClient]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """Return an archive that no test may change, with its originals beside it."""
    return make_archive(tmp_path_factory.mktemp("serve"), tiny_model)


@pytest.fixture
def archive(made: Path, tmp_path: Path) -> Path:
    """Return an archive that a test may change, with its originals beside it."""
    shutil.copytree(made.parent, tmp_path / "copy")
    return tmp_path / "copy" / made.name


@pytest.fixture
def ask(tiny_model: Path) -> Iterator[Ask]:
    """Return what opens a client for an archive."""
    clients = []

    def opened(archive: Path, *, token: str = "", sources: tuple[Path, ...] = ()) -> TestClient:
        gallery = open_gallery(archive, tiny_model, sources)
        client = TestClient(application(gallery, hosts=frozenset({"localhost"}), token=token), "http://localhost")
        client.__enter__()
        clients.append(client)
        return client

    yield opened
    for client in clients:
        client.__exit__(None, None, None)
