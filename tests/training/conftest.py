"""A folder of photos to train on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from tests.training.samples import photo


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(3):
        Image.fromarray(photo(seed)).save(folder / f"{seed}.png")
    return folder


@pytest.fixture
def workers() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool
