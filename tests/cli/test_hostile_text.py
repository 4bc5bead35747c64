"""Whatever names and manifests hold, no output of any command is read as markup or moves a terminal."""

from __future__ import annotations

import io
import os
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from rich.console import Console

from batchcomp.archive import Damage
from batchcomp.cli import console, progress, session
from batchcomp.errors import ArchiveError
from batchcomp.pipeline.records import Done, Failed, Passed, Planned
from tests.archive.samples import sample_row, verbatim_row, write_archive
from tests.cli import samples
from tests.cli.conftest import Result, Run

# a title change, a cursor move, a line break, a bell, 8-bit CSI, right-to-left override, half a character
NASTY = "\x1b]0;owned\x07\x1b[2J\r\n\x9b31m\u202egnp.\u2028\udcff"
MARKUP = "[red]x[bold]y[link=x]z"


def harmless(text: str) -> bool:
    """Whether a text has nothing in it that a terminal obeys, but for line breaks."""
    return not [c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Return an archive whose manifest tries to write to the terminal."""
    rows = [
        (sample_row(f"{MARKUP}.png"), b"x" * 50),
        (verbatim_row("alpha.png", reason=NASTY.replace("\udcff", ""), mode="\x1b[0m"), b"source"),
    ]
    write_archive(tmp_path / "hostile.bca", rows)
    return tmp_path / "hostile.bca"


READERS = [("report",), ("report", "--csv"), ("report", "--json"), ("list",), ("list", "--json"), ("verify",)]


@pytest.mark.parametrize("command", READERS, ids=" ".join)
def test_a_hostile_manifest_moves_no_terminal(run: Run, hostile: Path, command: tuple[str, ...]) -> None:
    """Tables, CSV, JSON and lists show control characters escaped and markup as it is written."""
    result = run(command[0], hostile, *command[1:])
    assert result.code == 0
    assert harmless(result.out + result.err)
    if command[0] != "verify":
        assert MARKUP in result.out
    if command[0] == "report":
        assert "owned" in result.out


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_hostile_names_move_no_terminal(run: Run, compress: Run, decode: Run) -> None:
    """Failures, plans, logs and messages about arguments show such names escaped, one line each."""
    nasty = NASTY.replace("\udcff", "")
    samples.save(Path("in") / f"{nasty}.png")
    (Path("in") / f"broken{nasty}.png").write_bytes(b"broken")
    samples.save(Path("in") / f"{MARKUP}.png")
    results = [
        compress("in", "--dry-run"),
        compress("in", "--log-file", "run.log"),
        compress(f"in{nasty}"),
        decode("in.bca", "-o", f"out{nasty}"),
        run("list", f"none{nasty}.bca"),
        run("verify", "in.bca", "--model", f"{nasty}.safetensors", "--decode"),
        run("list", "--config", f"{nasty}.toml"),
        run("list", f"--{nasty}"),
        run(nasty),
        run("compress", "in", "-q", nasty),
        run("compress", "in", "--device", nasty),
        run("report", "in.bca", "--sort", nasty),
    ]
    for result in results:
        assert harmless(result.out + result.err), result
    assert harmless(Path("run.log").read_text())
    assert all("\\x1b" in line for line in results[1].err.splitlines() if line.startswith("failed"))


def events() -> list[Callable[[], object]]:
    """Return every way in which the console says something, with nasty text."""
    text = NASTY + MARKUP
    damage = Damage(segment="000001.zip", entry=text, reason=text)
    shown = (Failed(name=text, reason=text), Planned(name=text, reason=text), Passed(name=text, reason=text))
    return [
        *(lambda event=event: console.show_event(event) for event in shown),  # type: ignore[misc]
        lambda: console.show_event(Done(name=text)),
        lambda: console.say(text),
        lambda: console.say(text, style="red"),
        lambda: console.remark(text),
        lambda: console.show_damage(damage, as_json=False),
        lambda: console.show_damage(damage, as_json=True),
        lambda: console.json_line("failed", name=text),
        lambda: console.show_table(text, [(text, "left")], [[text]], [text]),
    ]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("number", range(len(events())))
def test_nothing_the_console_says_moves_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """On a terminal without colours, all that is written is plain text."""
    terminal = Terminal()
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(console, "err", cache(console.err.__wrapped__))
    session.begin()
    events()[number]()
    assert harmless(capsys.readouterr().out)
    assert harmless(terminal.getvalue().replace("\x1b[0m", ""))


def test_the_progress_bar_survives_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the bar is drawn, a failure with markup in its name is shown as it is written."""
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(console, "err", cache(lambda: Console(stderr=True, highlight=False, width=200)))
    progress.watch("Compressing", (event for event in [Failed(name=MARKUP, reason=f"{MARKUP}: {NASTY}")]))
    assert MARKUP in terminal.getvalue()
    assert "\x1b]0;" not in terminal.getvalue()
    assert "\x07" not in terminal.getvalue()


def test_an_error_of_many_lines_is_one_line(compress: Run, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So are errors that quote what they found in a file."""

    def broken(*_: object, **__: object) -> None:
        raise ArchiveError(NASTY)

    monkeypatch.setattr("batchcomp.pipeline.compress.compress_archive", broken)
    result: Result = compress(photos)
    assert result.err.count("\n") == 1
    assert harmless(result.err)
