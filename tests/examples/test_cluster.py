"""`examples/cluster/run.py` starts everything, does everything, and leaves nothing running."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from batchcomp.archive import ArchiveReader

EXAMPLES = Path(__file__).parents[2] / "examples"
ROOT = EXAMPLES.parent


@pytest.mark.parametrize("store", [["--folder"], pytest.param([], marks=pytest.mark.long)], ids=["folder", "s3"])
def test_one_command_does_it_all(tmp_path: Path, store: list[str]) -> None:
    """Two photos are compressed, verified with their pixels, and restored; no process of it stays."""
    (tmp_path / "photos").mkdir()
    for name in ("chelsea.png", "camera.png"):
        shutil.copy(EXAMPLES / "photos" / name, tmp_path / "photos")
    command = [sys.executable, str(EXAMPLES / "cluster" / "run.py"), str(tmp_path / "photos"), str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, *store], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == 0, done.stderr
    assert "restored 2, pixels proved 2: no damage found" in done.stdout
    assert sorted(path.name for path in (tmp_path / "out" / "restored").iterdir()) == ["camera.png", "chelsea.png"]
    if store:
        assert len(list(ArchiveReader.open(tmp_path / "out" / "photos.bca").rows())) == 2
    running = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    assert [command for command in running if str(tmp_path) in command] == []
