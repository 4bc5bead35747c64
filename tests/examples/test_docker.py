"""The container's example: what it copies is there, and its watcher archives what changes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader
from batchcomp.errors import BatchcompError

TOP = Path(__file__).parents[2]
DOCKER = TOP / "examples" / "docker"


def test_the_image_copies_what_is_there_and_installs_extras_that_exist() -> None:
    text = (DOCKER / "Dockerfile").read_text()
    copied = [name for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE) for name in line.split()[:-1]]
    assert len(copied) > 8
    assert [name for name in copied if not (TOP / name).exists()] == []
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    for extra in re.findall(r"'\.\[([a-z,]+)\]'", text)[0].split(","):
        assert extra in project["optional-dependencies"]


def test_the_compose_file_calls_what_the_image_has() -> None:
    """Its Dockerfile and context are there, its watcher is where the image puts it, its volumes where it reads."""
    text, image = (DOCKER / "compose.yaml").read_text(), (DOCKER / "Dockerfile").read_text()
    (context,), (dockerfile,) = (
        re.findall(rf"^ +{key}: (\S+)$", text, re.MULTILINE) for key in ("context", "dockerfile")
    )
    assert (DOCKER / context).resolve() == TOP
    assert (TOP / dockerfile).samefile(DOCKER / "Dockerfile")
    (words,) = re.findall(r"^ +command: \[(.+)\]$", text, re.MULTILINE)
    program, watcher, photos, archive = (word.strip(' "') for word in words.split(","))
    assert program == "python"
    assert f"COPY examples/docker/watch.py {watcher}\n" in image
    assert f":{photos}:ro\n" in text
    assert f":{Path(archive).parent.as_posix()}\n" in text
    assert "XDG_STATE_HOME=/state\n" in image
    assert "- state:/state\n" in text


def stored(archive: Path) -> set[str]:
    try:
        return {row.path for row in ArchiveReader.open(archive).rows()}
    except BatchcompError:  # none yet
        return set()


def wait_for(names: set[str], archive: Path, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while stored(archive) != names:
        assert process.poll() is None
        assert time.monotonic() < end, stored(archive)
        time.sleep(0.3)


@pytest.mark.skipif(os.name == "nt", reason="its signals are those of POSIX")
def test_the_watcher_archives_now_and_after_each_change(tmp_path: Path) -> None:
    photos, archive = tmp_path / "photos", tmp_path / "p.bca"
    photos.mkdir()
    shutil.copy(TOP / "examples" / "photos" / "chelsea.png", photos / "a.png")
    with subprocess.Popen(
        [sys.executable, str(DOCKER / "watch.py"), str(photos), str(archive), ".5"],
        env={**os.environ, "OMP_NUM_THREADS": "1", "WATCHFILES_FORCE_POLLING": "false"},
    ) as process:
        try:
            wait_for({"a.png"}, archive, process)
            time.sleep(1)
            shutil.copy(TOP / "examples" / "photos" / "coffee.png", photos / "b.png")
            wait_for({"a.png", "b.png"}, archive, process)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()


def test_the_watcher_says_how_it_is_called() -> None:
    done = subprocess.run([sys.executable, DOCKER / "watch.py"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "usage: watch.py PHOTOS ARCHIVE [SECONDS]\n")
