"""SIGHUP, SIGINT and SIGTERM, sent to real processes."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, verify
from tests.cli import samples

fcntl = pytest.importorskip("fcntl", reason="Windows has no such signals to send")
termios = pytest.importorskip("termios", reason="Windows has no such signals to send")
SMALL_PIPE = 4096  # bytes
FILES = 200 if hasattr(fcntl, "F_SETPIPE_SZ") else 400  # whose lines a pipe cannot hold
CODES = [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
# A disk that takes its time: `syncing` is said on stderr whenever a file is about to be waited for.
SLOW_DISK = """
import sys, time
from batchcomp.archive import durable
seconds, sync = float(sys.argv.pop(1)), durable.sync_file
def slow(file):
    sys.stderr.write("syncing\\n")
    sys.stderr.flush()
    time.sleep(seconds)
    sync(file)
durable.sync_file = slow
from batchcomp.cli import main
main()
"""
MODULE = ["-m", "batchcomp"]


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Return a folder of so many files that their JSON lines fill a pipe."""
    first = samples.save(tmp_path / "in" / "000.png", samples.image(8, 8))
    for number in range(1, FILES):
        shutil.copyfile(first, first.with_name(f"{number:03}.png"))
    return first.parent


@contextmanager
def started(program: list[str], folder: Path, model: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run `compress` and clean up after it."""
    arguments = ["compress", str(folder), "--model", str(model), "--no-measure", "--jobs", "1", *options]
    command = [sys.executable, *program, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        if process.stdout and hasattr(fcntl, "F_SETPIPE_SZ"):
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, SMALL_PIPE)  # so that a few lines fill it
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Processes inherit ignored signals: where this test run ignores one, what it starts must not."""
    usual = {signal.SIGHUP: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def wait_for(process: subprocess.Popen[str], said: str) -> None:
    """Read stderr up to a line."""
    assert process.stderr
    for line in process.stderr:
        if line.strip() == said:
            return
    raise AssertionError(f"{said!r} was never said")


def wait_until_full(pipe: int, line: int) -> None:
    """Wait until a pipe of one page has no room for another line of about that many bytes."""
    deadline, held = time.monotonic() + 60, 0
    while held < SMALL_PIPE - line - 50:
        assert time.monotonic() < deadline, f"{held} bytes"
        time.sleep(0.1)
        held = int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
    time.sleep(1)


@pytest.mark.parametrize(("sent", "code"), CODES)
def test_an_interrupted_run_keeps_what_is_finished(many: Path, tiny_model: Path, sent: int, code: int) -> None:
    """The archive is sound and holds what was reported as done; the last line says how it ended and how far it came."""
    with started(MODULE, many, tiny_model, "--json") as process:
        assert process.stdout
        assert json.loads(process.stdout.readline())["name"] == "000.png"
        process.send_signal(sent)
        out = process.stdout.read()  # communicate() would miss what the pipe's own buffer holds
        _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "interrupted" in err
    assert "Traceback" not in err
    *lines, summary = (json.loads(line) for line in out.splitlines())
    assert (summary["type"], summary["exit_code"]) == ("summary", code)
    assert summary["done"] - len(lines) in {1, 2}  # the first line was read before; the last may not have come out
    assert "interrupted" in summary["error"]
    assert verify(many.with_name("in.bca")).ok
    held = {row.path for row in ArchiveReader.open(many.with_name("in.bca")).rows()}
    assert {line["name"] for line in lines} | {"000.png"} <= held
    assert len(held) < FILES


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="only Linux says how large a pipe is")
def test_a_second_signal_ends_a_run_that_is_stuck(many: Path, tiny_model: Path) -> None:
    """A run that waits for a reader of its JSON lines ends at the second signal; the next run goes on from there."""
    with started(MODULE, many, tiny_model, "--json") as process:
        assert process.stdout
        line = process.stdout.readline()
        wait_until_full(process.stdout.fileno(), len(line))
        process.send_signal(signal.SIGTERM)
        time.sleep(1)
        assert process.poll() is None, process.stderr.read()  # type: ignore[union-attr]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143
        assert "aborted" in (process.stderr.read() if process.stderr else "")
    archive = many.with_name("in.bca")
    assert verify(archive).ok
    before = len(list(ArchiveReader.open(archive).rows()))
    assert 0 < before < FILES
    with started(MODULE, many, tiny_model, "--json") as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    summary = json.loads(out.splitlines()[-1])
    assert (summary["done"], summary["unchanged"]) == (FILES - before, before)
    assert verify(archive).ok


@pytest.mark.parametrize(("sent", "code"), CODES)
def test_a_commit_is_never_cut_in_two(tmp_path: Path, tiny_model: Path, sent: int, code: int) -> None:
    """A signal that comes while the segment goes to the disk waits until it is there."""
    samples.save(tmp_path / "in" / "a.png")
    with started(["-c", SLOW_DISK, "1"], tmp_path / "in", tiny_model) as process:
        wait_for(process, "syncing")  # the record of who holds the lock
        wait_for(process, "syncing")  # the segment
        process.send_signal(sent)
        _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "interrupted" in err
    assert "Traceback" not in err
    assert [row.path for row in ArchiveReader.open(tmp_path / "in.bca").rows()] == ["a.png"]
    assert verify(tmp_path / "in.bca").ok
    assert not list((tmp_path / "in.bca").glob("*.tmp"))


def test_a_second_signal_does_not_wait_for_the_disk(tmp_path: Path, tiny_model: Path) -> None:
    """Two signals end even a commit at once, with the summary; the archive is as if the power had failed."""
    samples.save(tmp_path / "in" / "a.png")
    archive = tmp_path / "in.bca"
    with started(MODULE, tmp_path / "in", tiny_model) as process:
        assert process.wait(timeout=60) == 0
    samples.save(tmp_path / "in" / "b.png", samples.image(seed=1))
    with started(["-c", SLOW_DISK, "30"], tmp_path / "in", tiny_model, "--json") as process:
        wait_for(process, "syncing")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=10)
    # where the first has ended the run before the second comes, that may meet Python's own end: 130 for a shell, too
    assert process.returncode in {130, -signal.SIGINT}
    assert json.loads(out.splitlines()[-1])["exit_code"] == 130
    assert verify(archive).ok
    assert [row.path for row in ArchiveReader.open(archive).rows()] == ["a.png"]
    with started(MODULE, tmp_path / "in", tiny_model) as process:
        assert process.wait(timeout=60) == 0
    assert [row.path for row in ArchiveReader.open(archive).rows()] == ["a.png", "b.png"]
    assert verify(archive).ok


def test_an_ignored_sigint_stays_ignored(tmp_path: Path, tiny_model: Path) -> None:
    """A script's `batchcomp ... &` is not stopped by the Ctrl-C that is meant for the script."""
    samples.save(tmp_path / "in" / "a.png")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with started(["-c", SLOW_DISK, "1"], tmp_path / "in", tiny_model) as process:
        wait_for(process, "syncing")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert [row.path for row in ArchiveReader.open(tmp_path / "in.bca").rows()] == ["a.png"]
