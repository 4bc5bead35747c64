"""`verify`, `doctor`, the exit codes, and what is printed where."""

from __future__ import annotations

import io
import json
import shutil
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock

from batchcomp.archive.store.folder_lock import LOCK_NAME
from batchcomp.cli import console, progress
from batchcomp.errors import ExitCode, ModelError
from batchcomp.pipeline.records import Done, Failed
from tests.cli import samples
from tests.cli.conftest import Run
from tests.cli.test_decode import flip_a_byte


@pytest.fixture
def archive(compress: Run, photos: Path) -> Path:
    """Return an archive of the photos."""
    assert compress(photos, "--no-measure").code == 0
    return photos.with_name("photos.bca")


def test_verify_finds_nothing_in_a_sound_archive(run: Run, archive: Path, tiny_model: Path) -> None:
    """A sound archive ends with 0 and says how much was looked at."""
    result = run("verify", archive)
    assert (result.code, result.err) == (0, "")
    assert "pictures 3" in result.out
    assert "no damage found" in result.out
    result = run("verify", archive, "--decode", "--model", tiny_model)
    assert result.code == 0
    assert "restored 3, pixels proved" in result.out
    assert "not restored" not in result.out


def test_verify_names_damage(run: Run, archive: Path, tiny_model: Path) -> None:
    """Damage ends with 4; segment and entry are named; with --decode it is not counted twice."""
    flip_a_byte(archive, "b.jpg.jpg")
    result = run("verify", archive)
    assert result.code == 4
    assert "000001.zip" in result.err
    assert "b.jpg.jpg" in result.err
    assert "1 damage found" in result.out
    result = run("verify", archive, "--decode", "--model", tiny_model)
    assert result.code == 4
    assert "restored 2, pixels proved 0, not restored 1, not recorded 2: 1 damage found" in result.out


def test_verify_tells_a_missing_model_from_damage(run: Run, archive: Path) -> None:
    """An archive whose model is not at hand is not damaged: exit 3."""
    result = run("verify", archive, "--decode")
    assert result.code == 3
    assert "restored 0, pixels proved 0, not restored 3: no damage found" in result.out
    assert "--model FILE" in result.err


def test_verify_in_json(run: Run, archive: Path) -> None:
    """Damage and summary are JSON lines."""
    flip_a_byte(archive, "a.png.jpg")
    damage, summary = run("verify", archive, "--json").json
    assert (damage["type"], damage["segment"], damage["entry"]) == ("damage", "000001.zip", "a.png.jpg")
    assert (summary["type"], summary["exit_code"], summary["damaged"]) == ("summary", 4, 1)


def test_doctor_says_what_it_runs_on(run: Run) -> None:
    """Versions, device, threads, image library and model are named, as text and as JSON."""
    facts, summary = run("doctor", "--json").json
    assert (summary["type"], summary["exit_code"]) == ("summary", 0)
    assert facts["type"] == "doctor"
    names = ("batchcomp", "python", "device", "engine", "instructions", "packing", "threads", "image_library", "model")
    assert all(facts[name] for name in names)
    text = run("doctor")
    assert text.code == 0
    assert facts["model"] in text.out


def test_doctor_helps_where_the_model_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without weights is still described, and ends with 1."""

    def missing() -> None:
        raise ModelError("default: the shipped weights are missing; reinstall batchcomp")

    monkeypatch.setattr("batchcomp.codec.weights.load_shipped", missing)
    result = run("doctor")
    assert result.code == 1
    assert "the shipped weights are missing" in result.out
    assert "torch" in result.out


def test_no_archive_is_10(run: Run, photos: Path) -> None:
    """Every command that reads an archive says that there is none, in one line that names it."""
    for command in ("report", "list", "verify", "decode"):
        for missing in ("nothing.bca", str(photos)):
            result = run(command, missing)
            assert result.code == ExitCode.NO_ARCHIVE
            assert missing in result.err
            assert result.err.count("\n") == 1
    assert run("report").code == ExitCode.NO_ARCHIVE


def test_a_locked_archive_is_11(compress: Run, archive: Path, photos: Path) -> None:
    """A second writer is refused in one line that names the archive; the archive stays as it is."""
    before = samples.tree(archive)
    with FileLock(archive / LOCK_NAME):
        result = compress(photos, "-q", 5)
    assert result.code == ExitCode.LOCKED
    assert str(archive) in result.err
    assert {name: found for name, found in samples.tree(archive).items() if name.endswith(".zip")} == {
        name: found for name, found in before.items() if name.endswith(".zip")
    }


def test_a_file_in_the_archives_place_is_1(compress: Run, photos: Path) -> None:
    """An archive that cannot be written is fatal and nothing of the user's is replaced."""
    Path("out").write_text("mine")
    result = compress(photos, "-o", "out")
    assert result.code == ExitCode.FATAL
    assert "out" in result.err
    assert Path("out").read_text() == "mine"


@pytest.mark.parametrize(
    "arguments",
    [
        ["compress"],
        ["compress", "missing"],
        ["compress", ".", "-q", "0"],
        ["compress", ".", "-q", "101"],
        ["compress", ".", "--batch-size", "0"],
        ["compress", ".", "--device", "abacus"],
        ["compress", ".", "--jobs", "-1"],
        ["decode"],
        ["frobnicate"],
        ["report", "--worst", "none"],
    ],
    ids=" ".join,
)
def test_usage_errors_are_2(run: Run, arguments: list[str]) -> None:
    """Options and arguments that make no sense end with 2, explained on stderr, with stdout left empty."""
    result = run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err


def test_an_interrupt_is_130(compress: Run, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends with 130 and one line, without a traceback."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("batchcomp.pipeline.compress.compress_archive", interrupted)
    result = compress(photos)
    assert result.code == ExitCode.INTERRUPTED
    assert result.err.startswith("batchcomp: interrupted")


def test_an_unexpected_error_is_loud(run: Run, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw is not passed off as a bad file."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("batchcomp.codec.codec.Codec.compact", broken)
    with pytest.raises(ZeroDivisionError):
        run("compress", photos, "--jobs", 1)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_shows_on_a_terminal_and_results_stay_on_stdout(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With stderr on a terminal the bar is drawn there, while JSON lines reach stdout whole."""
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(console, "err", cache(console.err.__wrapped__))  # the usual one knows it is no terminal
    events = [Done(name="a.png"), Failed(name="b.png", reason="b.png: [bold]broken[/bold]")]
    progress.watch("Compressing", (event for event in events), as_json=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["type"] for line in lines] == ["done", "failed"]
    assert "Compressing" in terminal.getvalue()
    assert "b.png: [bold]broken[/bold]" in terminal.getvalue()


def test_no_progress_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """In a log file there are messages, but no bars and no control codes."""
    events = [Done(name="a.png"), Failed(name="b.png", reason="b.png: broken")]
    progress.watch("Compressing", (event for event in events))
    captured = capsys.readouterr()
    assert captured.err == "failed: b.png: broken\n"
    assert captured.out == ""


def test_messages_are_one_line_whatever_they_hold(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters, line breaks and broken UTF-8 are escaped; long lines are not wrapped."""
    console.say("a\nb\x1b[31mc\udcff " + "x" * 300)
    assert capsys.readouterr().err == r"a\nb\x1b[31mc\udcff " + "x" * 300 + "\n"


def test_an_archive_can_be_moved(decode: Run, archive: Path, tmp_path: Path) -> None:
    """An archive knows nothing of where it lies."""
    shutil.move(archive, tmp_path / "moved")
    assert decode(tmp_path / "moved", "-o", "out").code == 0
