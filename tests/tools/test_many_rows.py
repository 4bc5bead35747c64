"""`tools/many_rows.py`."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.archive.samples import sample_row, write_archive

TOOL = Path(__file__).parents[2] / "tools" / "many_rows.py"


def test_a_line_for_each_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command runs as often as it was asked for, and once more; the best round counts, and the most memory."""
    write_archive(tmp_path / "x.bca", [(sample_row(f"{name}.png"), b"x") for name in "ab"])
    tool = runpy.run_path(str(TOOL))
    answers = {"--version": iter([(9.0, 1), (0.25, 40), (0.5, 50)])}

    def run(arguments: tuple[str, ...]) -> tuple[float, int]:
        return next(answers.setdefault(arguments[0], iter([(9.0, 1), (1.0, 7), (2.0, 6)] * 2)))

    monkeypatch.setitem(tool["main"].__globals__, "run", run)
    assert tool["main"]([str(tmp_path / "x.bca"), "--rounds", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| 2 pictures | s of computing | MB |"
    assert lines[2] == "| `--version`: starting only | 0.25 | 50 |"
    assert lines[3] == "| `report`: totals and the first page | 1.00 | 7 |"
    assert lines[-1].startswith("| one picture found, in a process that runs | 0.")
    assert not any("compress" in line for line in lines)


def test_a_command_that_fails_ends_it() -> None:
    """No figure is given of it."""
    tool = runpy.run_path(str(TOOL))
    with pytest.raises(SystemExit, match="exit code 10"):
        tool["run"](("list", "/nowhere/x.bca"))
