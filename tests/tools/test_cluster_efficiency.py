"""`tools/cluster_efficiency.py`: both ways store the same; what the ratio is depends on the machine."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_the_cluster_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line a round, and the two ratios."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "photos").mkdir()
    for name in ("camera.png", "chelsea.png", "coffee.png"):
        shutil.copy(ROOT / "examples" / "photos" / name, tmp_path / "photos")
    main = runpy.run_path(str(ROOT / "tools" / "cluster_efficiency.py"))["main"]
    assert main([str(tmp_path / "photos"), str(tmp_path / "out"), "--rounds", "1", "--part-files", "1"]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert "the same payloads" in first
    assert last.startswith("efficiency: ")
