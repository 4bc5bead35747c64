"""The examples for Python and the shell do what they say."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with one of the example photos."""
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(EXAMPLES / "photos" / "chelsea.png", folder)
    return folder


def test_a_folder_is_archived_from_python(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The example archives photos, prints a measured row for each, and restores them all three ways."""
    main = runpy.run_path(str(EXAMPLES / "archive_and_check.py"))["main"]
    main(photos, tmp_path / "p.bca", tmp_path / "out")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("chelsea.png: ")
    assert "MS-SSIM 0.9" in lines[0]
    assert lines[1].startswith("worst: chelsea.png, (300, 451, 3), ")
    assert lines[2] == "Pillow opens its payload as 451 x 300 pixels, equal: True"
    assert lines[3] == "restored: 1 pictures"
    assert (tmp_path / "out" / "all" / "chelsea.png").is_file()


def script(*arguments: object, programs: Path) -> subprocess.CompletedProcess[str]:
    """Run the shell script with `batchcomp` on the path."""
    program = programs / "batchcomp"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m batchcomp "$@"\n')
    program.chmod(0o755)
    command = ["/bin/sh", str(EXAMPLES / "archive_and_check.sh"), *map(str, arguments)]
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.skipif(os.name == "nt", reason="there is no sh on Windows")
def test_a_folder_is_archived_from_the_shell(photos: Path, tmp_path: Path) -> None:
    """The script stores, checks and reports; without arguments it says how it is called."""
    done = script(photos, tmp_path / "p.bca", programs=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no damage found" in done.stdout
    assert "chelsea.png" in done.stdout
    wrong = script(programs=tmp_path)
    assert (wrong.returncode, wrong.stderr) == (2, "usage: archive_and_check.sh PHOTOS ARCHIVE\n")
