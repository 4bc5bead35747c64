"""`bench` and `train` are commands of commands, each with its own options only."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchcomp.benchmark.plot import plot_curves
from batchcomp.cli.bench.options import write_json
from batchcomp.errors import FileError
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("bench curves", ["--quick"]),
        ("bench curves", ["--sample", "3"]),
        ("bench speed", ["--rivals", "jpeg"]),
        ("bench speed", ["--guards", "none"]),
        ("bench cohorts", ["--plot", "a.png"]),
        ("bench cohorts", ["--effort", "3"]),
        ("train joint", ["--run", "r", "--loss", "mse"]),
        ("train joint", ["--run", "r", "--patience", "3"]),
        ("train alternating", ["--run", "r", "--shape", "fast"]),
        ("train alternating", ["--run", "r", "--start", "fast"]),
    ],
)
def test_options_of_another_subcommand_are_refused(run: Run, command: str, options: list[str]) -> None:
    """They are a usage error instead of being ignored."""
    result = run(*command.split(), "photos", *options)
    assert result.code == 2
    assert f"No such option: {next(o for o in options if o not in {'--run', 'r'})}" in result.err


@pytest.mark.parametrize("words", [["bench"], ["train"], ["bench", "photos"], ["train", "photos", "--run", "r"]])
def test_a_subcommand_must_be_named(run: Run, words: list[str]) -> None:
    """Without one, or with a folder in its place, the exit code is 2 and the subcommands are shown or named."""
    result = run(*words)
    assert result.code == 2
    assert "COMMAND" in result.err + result.out


def test_the_log_names_the_subcommand(run: Run) -> None:
    """The log file says which of the benchmarks ran."""
    Path("photos").mkdir()
    assert run("bench", "speed", "photos", "--log-file", "log").code == 2
    assert "no pictures there" in Path("log").read_text()
    assert "bench speed" in Path("log").read_text()


def test_figures_and_drawings_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    """A file stands where the folder should be: one line, exit code 1."""
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match=r"a\.json: cannot be written .*choose another name"):
        write_json(tmp_path / "file" / "a.json", "{}")
    with pytest.raises(FileError, match=r"a\.png: cannot be written .*choose another name"):
        plot_curves({}, tmp_path / "file" / "a.png")
