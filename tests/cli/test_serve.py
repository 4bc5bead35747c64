"""`serve`: one line with the address, an end in good order, and what is refused."""

from __future__ import annotations

import os
import re
import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.cli import samples
from tests.cli.conftest import Run
from tests.serve.samples import started

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")


@pytest.fixture
def archive(compress: Run, tmp_path: Path) -> Path:
    """Return an archive of one photo."""
    samples.save(tmp_path / "photos" / "a.png")
    assert compress("photos").code == 0
    return tmp_path / "photos.bca"


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_told_to_end(archive: Path, number: int) -> None:
    """The address that is printed leads to the page; a signal ends it with 0 and nothing on stderr but the hint."""
    process, address = started(archive)
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 - our own
        assert b"<title>photos.bca" in answer.read()
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "Ctrl-C ends it\n")


def test_a_token_is_made_where_others_could_look(archive: Path) -> None:
    """On all addresses it is part of what is printed, and without it there is nothing."""
    process, address = started(archive, "--host", "0.0.0.0")  # noqa: S104 - that is what is tested
    try:
        port = re.findall(r":(\d+)/", address)[0]
        assert len(re.findall(r"token=([\w-]{32})$", address)) == 1
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_wrong_use_is_told(run: Run, archive: Path) -> None:
    """A short token, a taken port, no archive: one line each and its exit code."""
    short = run("serve", archive, "--token", "short")
    assert (short.code, "at least 16" in short.err) == (2, True)
    missing = run("serve", "nowhere.bca", "--port", 0)
    assert (missing.code, "no such archive" in missing.err) == (10, True)
    assert run("serve", archive, "--port", 70_000).code == 2


def test_what_is_missing_is_named(run: Run, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the message says what to install."""
    monkeypatch.setattr("batchcomp.cli.serve.find_spec", lambda _: None)
    found = run("serve", archive)
    assert (found.code, "pip install 'batchcomp[serve]'" in found.err) == (2, True)
