"""`tools/cluster_same.py`: a cluster stores, finds and restores what one process does; the tool finds what differs."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "cluster_same.py"


@pytest.mark.long
def test_a_cluster_is_the_same(three_photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Payloads, findings and restored files."""
    main = runpy.run_path(str(TOOL))["main"]
    assert main([str(three_photos), str(tmp_path / "out"), "--", "--model", "fast"]) == 0
    same = [line for line in capsys.readouterr().out.splitlines() if line.endswith("the same")]
    assert same == ["payloads: 3, the same", "findings: 1, the same", "restored files: 3, the same"]


def test_what_differs_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """With a code that is not 0."""
    compared = runpy.run_path(str(TOOL))["compared"]
    assert (compared("payloads", {"a": "1"}, {"a": "2"}), compared("findings", [], [])) == (1, 0)
    assert capsys.readouterr().out == "payloads: 1, NOT the same\nfindings: 0, the same\n"
