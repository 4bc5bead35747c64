"""`tools/phases.py`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.samples import photo

pytest.importorskip("ssimulacra2", reason="needs the extra `bench`")
TOOL = str(Path(__file__).parents[2] / "tools" / "phases.py")
PHASES = runpy.run_path(TOOL)


def test_a_phase_is_a_part_of_the_picture() -> None:
    """All are of one size."""
    pixels = photo(40, 50)
    for top, left in PHASES["PHASES"]:
        part = PHASES["part"](pixels, (top, left))
        assert part.shape == (32, 42, 3)
        assert np.array_equal(part[0, 0], pixels[top, left])


def test_a_change_is_of_the_mean_score() -> None:
    """Half the bytes at every score and phase are half the bytes; scores that rise at one phase count there alone."""
    scores = np.array([30.0, 45, 60, 75, 90])
    anchor = np.stack([np.array([0.1, 0.2, 0.4, 0.8, 1.6]), *[scores, scores / 5] * 4], axis=1)
    half = anchor.copy()
    half[:, 0] /= 2
    assert PHASES["change"]([(anchor, half)], 0, [0, 2], (30, 60)) == "-50.0"
    ahead = anchor.copy()
    ahead[:, 1] += 15  # SSIMULACRA2 at the first phase
    assert float(PHASES["change"]([(anchor, ahead)], 0, [0], (45, 60))) < -40
    assert PHASES["change"]([(anchor, ahead)], 0, [1, 2, 3], (45, 60)) == "+0.0"
    assert PHASES["change"]([(anchor, ahead)], 1, [0], (8, 12)) == "+0.0"


def test_it_prints_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each phase and for the mean of the others; what was measured is not measured again."""
    picture, cache = tmp_path / "one.png", tmp_path / "cache.json"
    Image.fromarray(photo(200, 216)).save(picture)
    arguments = ["phases.py", "--model", "fast", "--effort", "1", "--cache", str(cache), str(picture)]
    monkeypatch.setattr(sys, "argv", arguments)
    runpy.run_path(TOOL, run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in lines[2:]]
    phases = [*map(str, PHASES["PHASES"]), "other than (0, 0)"]
    assert rows == [[name, phase] for name in ("fast", "fast, packed, effort 1") for phase in phases]
    before = cache.read_text(encoding="utf-8")
    runpy.run_path(TOOL, run_name="__main__")
    assert capsys.readouterr().out.splitlines() == lines
    assert cache.read_text(encoding="utf-8") == before
