"""How the tests of this folder run commands: in this process, through the application's own entry."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from batchcomp.cli.app import app
from tests.cli import samples


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> list[dict[str, Any]]:
        """Every line of stdout, which must be one JSON object each, but for those that tell of time passing."""
        return [line for line in self.all_json if line["type"] not in {"progress", "amount"}]

    @property
    def all_json(self) -> list[dict[str, Any]]:
        """Every line of stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny networks are quicker on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in an empty folder; a traceback fails the test."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: object) -> Result:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="batchcomp")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Result(code=result.exit_code, out=result.stdout, err=result.stderr)

    return invoke


@pytest.fixture
def compress(run: Run, tiny_model: Path) -> Run:
    """Run `compress` with the tiny model, in one worker."""
    return lambda *arguments: run("compress", *arguments, "--model", tiny_model, "--jobs", 1)


@pytest.fixture
def decode(run: Run, tiny_model: Path) -> Run:
    """Run `decode` with the tiny model, in one worker."""
    return lambda *arguments: run("decode", *arguments, "--model", tiny_model, "--jobs", 1)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with three photos, one in a folder of its own."""
    folder = tmp_path / "photos"
    samples.save(folder / "a.png")
    samples.save(folder / "b.jpg", samples.image(61, 83, seed=1), quality=95)
    samples.save(folder / "sub" / "c.png", samples.image(33, 35, mode="L", seed=2))
    return folder


@pytest.fixture
def lock_sub(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what lets no folder called `sub` be read from then on, which root could."""
    real = os.scandir

    def refuses(path: Any) -> Any:
        if str(path).endswith("/sub"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    return lambda: monkeypatch.setattr("os.scandir", refuses)
