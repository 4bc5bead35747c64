"""`tools/cluster_efficiency.py`: both ways store the same; what the ratio is depends on the machine."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_the_cluster_is_measured(three_photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line a round, and the two ratios."""
    main = runpy.run_path(str(ROOT / "tools" / "cluster_efficiency.py"))["main"]
    words = ["--rounds", "2", "--part-files", "1", "--", "--model", "fast"]
    assert main([str(three_photos), str(tmp_path / "out"), *words]) == 0
    *rounds, last = capsys.readouterr().out.splitlines()
    assert ["the same payloads" in line for line in rounds] == [True, True]
    assert last.startswith("efficiency: ")
