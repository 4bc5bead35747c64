"""Output channels that fail: none of them decides what is archived."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader
from batchcomp.cli import config, state
from batchcomp.errors import ArchiveNotFoundError
from batchcomp.report.text import wrapped
from tests.cli import samples
from tests.cli.conftest import Run

COMPRESS = [sys.executable, "-m", "batchcomp", "compress"]
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Return a folder of seven files, of which the fourth is no picture."""
    for number in range(1, 8):
        path = tmp_path / "photos" / f"{number}.png"
        if number == 4:
            path.write_text("no picture")
        else:
            samples.save(path, samples.image(40, 50, seed=number))
    return path.parent


def stored(folder: Path) -> list[str]:
    return [row.path for row in ArchiveReader.open(folder.with_suffix(".bca")).rows()]


@needs_full
@pytest.mark.parametrize("options", [["--quiet"], [], ["--json"]], ids=["quiet", "text", "json"])
def test_a_full_disk_under_stderr_stops_no_backup(mixed: Path, tiny_model: Path, options: list[str]) -> None:
    """What cannot be said is lost; the pictures are not, and the exit code is that of the run."""
    with Path("/dev/full").open("w") as full:
        command = [*COMPRESS, str(mixed), "--model", str(tiny_model), "--jobs", "1", *options]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=full, check=False, timeout=120)
    assert done.returncode == 3
    assert stored(mixed) == [f"{number}.png" for number in (1, 2, 3, 5, 6, 7)]


@needs_full
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_full_disk_under_stdout_stops_no_backup(mixed: Path, tiny_model: Path, options: list[str]) -> None:
    """The run ends with 1 and says why, once everything is stored."""
    with Path("/dev/full").open("w") as full:
        command = [*COMPRESS, str(mixed), "--model", str(tiny_model), "--jobs", "1", *options]
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, env=BUFFERED, check=False, timeout=120
        )
    assert done.returncode == 1
    assert "Exception ignored" not in done.stderr
    assert "standard output: No space left on device; write it where there is room" in done.stderr
    assert len(stored(mixed)) == 6


def test_a_reader_that_leaves_stops_no_backup(mixed: Path, tiny_model: Path) -> None:
    """`compress --json | head` stores everything all the same, then ends as a pipe without a reader does."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [*COMPRESS, str(mixed), "--model", str(tiny_model), "--jobs", "1", "--json"]
    with os.fdopen(writing, "w") as pipe:
        done = subprocess.run(command, stdout=pipe, stderr=subprocess.DEVNULL, check=False, timeout=120)
    assert done.returncode == 141
    assert len(stored(mixed)) == 6


@pytest.mark.parametrize("command", [["report"], ["list"], ["report", "--json"]], ids=" ".join)
def test_results_without_a_reader_are_141(compress: Run, photos: Path, tmp_path: Path, command: list[str]) -> None:
    """Every command that only reads ends in the same way when nobody takes what it says."""
    compress(photos)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "batchcomp", command[0], str(tmp_path / "photos.bca"), *command[1:]],
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_closed_channels_stop_no_backup(mixed: Path, tiny_model: Path, closed: str) -> None:
    """`>&-` and `2>&-` are no reason to store less."""
    words = " ".join([*COMPRESS, f"'{mixed}'", "--model", f"'{tiny_model}'", "--jobs", "1"])
    redirect = ">&-" if closed == "stdout" else "2>&-"
    done = subprocess.run(["sh", "-c", f"{words} {redirect}"], capture_output=True, check=False, timeout=120)
    assert done.returncode == 3
    assert len(stored(mixed)) == 6


def test_a_user_without_a_home_needs_none(
    run: Run, compress: Run, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services and containers have neither HOME nor a passwd entry: no configuration, nothing remembered, no error."""

    def homeless(*_: object, **__: object) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr(config, "user_config_path", homeless)
    monkeypatch.setattr(state, "user_state_path", homeless)
    assert compress(photos).code == 0
    assert run("list", "photos.bca").code == 0
    assert run("list").code == 0  # the only archive in the folder
    assert "with a home directory" in run("doctor").out
    Path("photos.bca").rename("elsewhere")
    with pytest.raises(ArchiveNotFoundError):
        state.choose_archive(None)


@pytest.mark.parametrize("width", [20, 40, 60, 80])
def test_lines_are_broken_between_words(width: int) -> None:
    """No path and no command is broken, however narrow the terminal; nothing is lost or added."""
    text = "photos/2024-11-01-a-very-long-name.bca: 1 kB; next: `batchcomp report 'my photos.bca'` shows each picture"
    lines = wrapped(text, width).split("\n")
    assert " ".join(line.strip() for line in lines) == text
    assert sum("photos/2024-11-01-a-very-long-name.bca:" in line for line in lines) == 1
    if width >= 40:
        assert sum("`batchcomp report 'my photos.bca'`" in line for line in lines) == 1
    assert all(len(line) <= width or " " not in line.strip() or "`" in line for line in lines)


def test_short_and_empty_lines_stay() -> None:
    """What fits is as it was."""
    assert [wrapped(text, 80) for text in ("", "a b", "`x y`")] == ["", "a b", "`x y`"]
