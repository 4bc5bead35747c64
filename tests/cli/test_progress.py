"""How far a run is: figures, the two lines of a terminal, the lines of `--json`."""

from __future__ import annotations

import re
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from batchcomp.cli import console, session
from batchcomp.cli.progress import Progress, clock, drawn
from batchcomp.pipeline.forecast import Forecast
from batchcomp.pipeline.records import Done, Failed, Outcome
from tests.archive.samples import sample_row
from tests.cli.conftest import Run


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def run_of(*pixels: int) -> tuple[Progress, Outcome, Clock]:
    """Return the progress of a run over pictures of so many pixels, named 0, 1, ..."""
    forecast, outcome, time = Forecast(), Outcome(), Clock()
    forecast.expect([(str(number), count) for number, count in enumerate(pixels)])
    return Progress("Compressing", outcome, forecast, time), outcome, time


def take(progress: Progress, outcome: Outcome, *names: str) -> None:
    for name in names:
        event = Done(name=name, row=sample_row(name, source_bytes=100_000, payload_bytes=20_000))
        outcome.add(event)
        progress.take(event)


def test_time_left_follows_from_pixels() -> None:
    """A third of the pixels took ten seconds, so that the rest takes twenty; a large picture counts for more."""
    progress, outcome, time = run_of(1_000_000, 5_000_000, 12_000_000)
    assert progress.seconds_left is None
    time.time += 10
    take(progress, outcome, "0", "1")
    assert progress.speed == 600_000
    assert progress.seconds_left == 20
    time.time += 5
    assert progress.seconds_left == 15
    time.time += 100
    assert progress.seconds_left == 0


def test_the_speed_is_that_of_the_last_minute() -> None:
    """What was long ago does not count."""
    progress, outcome, time = run_of(*[1_000_000] * 300)
    for number in range(100):
        time.time += 10
        take(progress, outcome, str(number))
    assert progress.speed == pytest.approx(100_000)
    for number in range(100, 200):
        time.time += 1
        take(progress, outcome, str(number))
    assert progress.speed == pytest.approx(1_000_000)


def test_the_lines_say_it_all_and_fit() -> None:
    """Files, time left, speed, bytes, failures and the name in hand, on two lines of any width."""
    progress, outcome, time = run_of(6_000_000, 6_000_000, 6_000_000, 0)
    time.time += 10
    take(progress, outcome, "0")
    outcome.add(Failed(name="3", reason="3: broken"))
    progress.take(Failed(name="3", reason="3: broken"))
    first, second = progress.lines(79)
    assert first == "Compressing  " + "\u2501" * 8 + "\u2500" * 16 + "  2 of 4 files  0:20 left"
    assert second == "0.6 MP/s  100.0 kB -> 20.0 kB  1 failed  1"
    assert max(map(len, progress.lines(30))) <= 30


def test_hostile_names_are_escaped_and_long_ones_lose_their_middle() -> None:
    """A name in hand neither moves the terminal nor breaks the line."""
    forecast, time = Forecast(), Clock()
    forecast.expect([("\x1b[2J" + "x" * 200 + ".jpg", 10)])
    (_, second) = Progress("Restoring", Outcome(), forecast, time).lines(60)
    assert second.startswith("\\x1b[2Jxxx")
    assert second.endswith("x.jpg")
    assert "..." in second
    assert len(second) <= 60


def test_json_tells_the_same() -> None:
    """The fields of a line, unknown ones null."""
    progress, outcome, time = run_of(1_000_000, 3_000_000)
    assert progress.fields()["seconds_left"] is None
    assert not progress.due()
    time.time += 2
    take(progress, outcome, "0")
    assert progress.due()
    assert not progress.due()
    assert progress.fields() == {
        "files": 1, "of_files": 2, "pixels": 1_000_000, "of_pixels": 4_000_000, "pixels_per_second": 500_000,
        "source_bytes": 100_000, "payload_bytes": 20_000, "failed": 0, "seconds_left": 6, "name": "1",
    }  # fmt: skip


def test_without_a_forecast_files_and_time_are_told() -> None:
    """A run of which nothing is known ahead still shows that it works."""
    time = Clock()
    progress = Progress("Comparing", Outcome(), now=time)
    time.time += 75
    assert progress.lines(80) == ["Comparing  0 files  1:15", ""]


@pytest.mark.parametrize(("seconds", "said"), [(0, "0:00"), (7.4, "0:07"), (750, "12:30"), (11_100, "3:05:00")])
def test_clock(seconds: float, said: str) -> None:
    """Minutes and seconds, hours where there are any."""
    assert clock(seconds) == said


@pytest.mark.parametrize("command", ["compress", "decode"])
def test_runs_tell_their_progress(
    run: Run, compress: Run, photos: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The last line of progress has all files done; its bytes are those of the events."""
    monkeypatch.setattr("batchcomp.cli.progress.EVERY", 0.0)
    stored = compress(photos, "--json")
    lines = stored if command == "compress" else run("decode", "photos.bca", "--json", "--model", tiny_model)
    last = [line for line in lines.all_json if line["type"] == "progress"][-1]
    assert (last["files"], last["failed"]) == (3, 0)
    assert last["source_bytes"] == sum(line["source_bytes"] for line in lines.json if line["type"] == "done")


def test_results_stand_above_the_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where both go to one terminal, a line of results begins at its left edge, and the progress comes back below."""
    text = StringIO()
    terminal = Console(file=text, force_terminal=True, width=60)
    monkeypatch.setattr(console, "err", lambda: terminal)
    monkeypatch.setattr("sys.stdout", Terminal())
    with drawn(Text("Planning"), visible=True):
        assert session.current().live
        console.write("a.png: new\n")
    assert not session.current().live
    assert "\na.png: new\n" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", text.getvalue())
    console.write("b.png\n")
    assert sys.stdout.getvalue() == "b.png\n"  # type: ignore[attr-defined]


class Terminal(StringIO):
    """Stands for a terminal."""

    def isatty(self) -> bool:
        return True
