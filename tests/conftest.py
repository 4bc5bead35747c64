"""What every folder of tests may use: a model small enough to be quick, and a state folder that is not the user's."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchcomp.archive.store.opening import forget
from batchcomp.places import Url
from tests import seaweed


@pytest.fixture(autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what the commands remember away from the user's own state."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def config_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's own configuration file out of the tests."""
    folder = tmp_path_factory.mktemp("config")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep indexes of archives out of the user's own cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


def write_model(path: Path, seed: int) -> Path:
    """Write a model file of the smallest networks that are not merely bicubic."""
    import torch  # noqa: PLC0415 - most tests need no torch

    from batchcomp.codec import weights  # noqa: PLC0415
    from batchcomp.codec.networks.residual import ResidualNetwork  # noqa: PLC0415
    from batchcomp.codec.networks.residual_shape import ResidualArchitecture  # noqa: PLC0415

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = ResidualNetwork(ResidualArchitecture(com_width=8, com_blocks=1, rec_width=8, rec_blocks=1))
    path.write_bytes(weights.to_bytes(network))
    return path


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a tiny model."""
    return write_model(tmp_path_factory.mktemp("models") / "tiny.safetensors", 0)


@pytest.fixture(scope="session")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of another tiny model."""
    return write_model(tmp_path_factory.mktemp("models") / "other.safetensors", 1)


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
