"""`--quiet`, `--log-file`, `--nice` and `--max-load`: what a nightly run needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader
from tests.cli.conftest import Run
from tests.cli.test_decode import flip_a_byte

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} \d+ batchcomp\.[a-z]+ (INFO|ERROR) .+")


def test_a_quiet_run_says_nothing(run: Run, compress: Run, decode: Run, photos: Path) -> None:
    """Where all is well, commands that work on files print nothing at all; what was asked for is still printed."""
    for result in (
        compress(photos, "--quiet"),
        compress(photos, "--quiet"),
        run("verify", "photos.bca", "--quiet"),
        decode("photos.bca", "-o", "out", "--quiet"),
    ):
        assert (result.code, result.out, result.err) == (0, "", "")
    assert len(run("list", "photos.bca", "--quiet").out.splitlines()) == 3
    assert len(compress(photos, "--quiet", "--json").json) == 4


def test_a_quiet_run_says_what_went_wrong(run: Run, compress: Run, photos: Path) -> None:
    """Failures, their sum, damage and errors are said."""
    (photos / "bad.png").write_bytes(b"bad")
    result = compress(photos, "--quiet")
    assert result.code == 3
    assert [line.split(":")[0] for line in result.err.splitlines()] == ["failed", "3 stored, 1 failed"]
    flip_a_byte(Path("photos.bca"), "a.png.jpg")
    assert run("verify", "photos.bca", "--quiet").err.startswith("damaged: 000001.zip")
    assert run("list", "none.bca", "--quiet").err.startswith("batchcomp: none.bca")


def test_a_log_tells_the_story_of_a_run(compress: Run, photos: Path) -> None:
    """Each line has time, process, command and level; pictures, failures and the exit code are there, quiet or not."""
    (photos / "bad\x1b[2J.png").write_bytes(b"bad")
    for _ in range(2):
        compress(photos, "--quiet", "--log-file", "run.log")
    lines = Path("run.log").read_text(encoding="utf-8").splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    assert sum("batchcomp.compress INFO a.png: " in line for line in lines) == 1
    assert sum(r"ERROR failed: " in line and r"bad\x1b[2J.png" in line for line in lines) == 1
    assert sum(r"INFO failed before: " in line and r"bad\x1b[2J.png" in line for line in lines) == 1
    assert sum("INFO photos.bca: " in line or "/photos.bca: " in line for line in lines) == 1
    assert sum("INFO 0 stored, 3 unchanged, 1 failed before" in line for line in lines) == 1
    assert [sum(f"ended with exit code {code} after" in line for line in lines) for code in (3, 0)] == [1, 1]


def test_errors_that_end_a_run_are_logged(
    run: Run, compress: Run, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So are crashes, whose traceback goes to stderr."""
    run("list", "none.bca", "--log-file", "run.log")
    assert "ERROR batchcomp: none.bca: " in Path("run.log").read_text()

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("really")

    monkeypatch.setattr("batchcomp.pipeline.compress.compress_archive", broken)
    with pytest.raises(ZeroDivisionError):
        compress(photos, "--log-file", "run.log")
    assert "ERROR unexpected ZeroDivisionError: really" in Path("run.log").read_text()


def test_a_log_is_rotated(run: Run) -> None:
    """At its size FILE becomes FILE.1 and so on; older ones than asked for are deleted; no line is cut."""
    Path("run.log").write_text("x" * (2**20 - 10) + "\n")
    Path("run.log.1").write_text("older\n")
    Path("run.log.2").write_text("oldest\n")
    run("list", "none.bca", "--log-file", "run.log", "--log-size", 1, "--log-keep", 2)
    assert sorted(path.name for path in Path().glob("run.log*")) == ["run.log", "run.log.1", "run.log.2"]
    assert Path("run.log.2").read_text() == "older\n"
    assert Path("run.log.1").read_text().startswith("xxx")
    assert all(LINE.fullmatch(line) for line in Path("run.log").read_text().splitlines())


def test_a_log_that_cannot_be_opened_ends_the_run_before_it_begins(compress: Run, photos: Path) -> None:
    """The message names the file; nothing was done."""
    result = compress(photos, "--log-file", "no/such/folder.log")
    assert result.code == 1
    assert "folder.log: the log file cannot be opened (No such file or directory); name another" in result.err
    assert not Path("photos.bca").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_log_that_fills_its_disk_stops_nothing(compress: Run, photos: Path) -> None:
    """That the log cannot be written is said once, and the pictures are stored."""
    result = compress(photos, "--log-file", "/dev/full", "--quiet")
    assert result.code == 0
    assert result.err.count("the log file cannot be written (No space left on device)") == 1
    assert len(list(ArchiveReader.open(Path("photos.bca")).rows())) == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_results_that_fill_their_disk_are_an_error(compress: Run, photos: Path, tmp_path: Path) -> None:
    """A full disk under stdout is one line and exit 1, for text and JSON lines, and never a traceback."""
    compress(photos)
    for options in ([], ["--json"]):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "batchcomp", "list", str(tmp_path / "photos.bca"), *options],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
                timeout=60,
            )
        assert done.returncode == 1
        assert done.stderr == "batchcomp: standard output: No space left on device; write it where there is room\n"


@pytest.mark.skipif(not hasattr(os, "nice"), reason="this system has no niceness")
def test_nice_lowers_the_priority() -> None:
    """--nice N adds N to the niceness of the process."""
    code = "import os, sys; from batchcomp.cli import main\ntry: main()\nfinally: print(os.nice(0))"
    command = [sys.executable, "-c", code, "list", "none.bca", "--nice", "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.strip() == str(min(19, os.nice(0) + 7))


class Machine:
    """A machine whose load is given, look by look; sleeping takes no time."""

    def __init__(self, *loads: float) -> None:
        self.loads, self.slept = list(loads), 0

    def getloadavg(self) -> tuple[float, float, float]:
        return (self.loads.pop(0) if len(self.loads) > 1 else self.loads[0], 0.0, 0.0)

    def sleep(self, _seconds: float) -> None:
        self.slept += 1


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Machine]:
    """Put a machine in the place of this one."""

    def put(*loads: float) -> Machine:
        made = Machine(*loads)
        monkeypatch.setattr("os.getloadavg", made.getloadavg)
        monkeypatch.setattr("batchcomp.pipeline.load_average.time.sleep", made.sleep)
        return made

    return put


def test_a_busy_machine_is_waited_for(compress: Run, photos: Path, machine: Callable[..., Machine]) -> None:
    """Above --max-load the run waits, says so once, and goes on when the load has fallen."""
    made = machine(5.3, 4.9, 4.2, 4.0)
    result = compress(photos, "--max-load", 4, "--json")
    assert result.code == 0
    assert made.slept == 2
    assert [(line["load"], line["max_load"]) for line in result.json if line["type"] == "waiting"] == [(5.3, 4.0)]
    assert result.json[-1]["done"] == 3
    assert "waiting: the load average is 5.30, above --max-load 4" in result.err


def test_a_calm_machine_is_not_waited_for(compress: Run, photos: Path, machine: Callable[..., Machine]) -> None:
    """At or below --max-load, and without it, nothing waits."""
    made = machine(4.0)
    assert compress(photos, "--max-load", 4, "--json").json[-1]["done"] == 3
    made = machine(400.0)
    assert compress(photos, "-o", "other.bca", "--json").json[-1]["done"] == 3
    assert made.slept == 0
