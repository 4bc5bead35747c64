"""How far work is that is no run over pictures: bytes of an archive, segments, steps of training."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from batchcomp.amount import BYTES, PIXELS, Amount
from batchcomp.cli import console, progress
from batchcomp.cli.bench.options import told
from batchcomp.cli.gauge import Gauge, listener_of, showing
from tests.cli.conftest import Run
from tests.cli.test_progress import Clock

QUARTER = "Verifying  ━━━━━━──────────────────  0:30 left"


def gauge() -> tuple[Gauge, Amount, Clock]:
    amount, time = Amount(), Clock()
    shown = Gauge("Verifying", amount, time)
    amount.listener = listener_of(shown, as_json=False)
    return shown, amount, time


def test_time_left_follows_from_what_is_done() -> None:
    """A quarter took ten seconds, so that the rest takes thirty; waiting counts down, never below nothing."""
    shown, amount, time = gauge()
    assert shown.seconds_left is None
    amount.begin(BYTES, 4_000_000)
    time.time += 10
    amount.advance(1_000_000, "a.png")
    assert (shown.speed, shown.seconds_left) == (100_000, 30)
    time.time += 12
    assert shown.seconds_left == 18
    time.time += 100
    assert shown.seconds_left == 0


def test_each_stretch_has_a_speed_of_its_own() -> None:
    """Pixels are not restored as fast as bytes are read; a run that goes on begins where it stopped."""
    shown, amount, time = gauge()
    amount.begin(BYTES, 100)
    time.time += 1
    amount.advance(100)
    amount.begin(PIXELS, 10)
    assert shown.speed is None
    time.time += 5
    amount.advance(5)
    assert shown.seconds_left == 5
    amount.begin("steps", 1000)
    amount.reach(900)
    time.time += 10
    amount.reach(910)
    assert amount.done == 910


@pytest.mark.parametrize(
    ("unit", "total", "done", "first", "second"),
    [
        (
            BYTES,
            4_000_000,
            1_000_000,
            QUARTER,
            "1.0 MB of 4.0 MB  100.0 kB/s  a",
        ),
        (
            PIXELS,
            8_000_000,
            2_000_000,
            QUARTER,
            "2.0 MP of 8.0 MP  0.2 MP/s  a",
        ),
        ("segments", 4, 1, QUARTER, "1 of 4 segments  a"),
        ("timed", 0, 3, "Verifying  0:10", "3 timed  a"),
    ],
)
def test_two_lines(unit: str, total: int, done: int, first: str, second: str) -> None:
    """In the unit that is counted; without a total, how long it has taken."""
    shown, amount, time = gauge()
    amount.begin(unit, total)
    time.time += 10
    amount.advance(done, "a")
    assert shown.lines(79) == [first, second]
    assert all(len(line) <= 40 for line in shown.lines(40))


def test_work_that_tells_both_numbers() -> None:
    """A new total, or fewer done than before, is another stretch."""
    _, amount, _ = gauge()
    for done, total in ((0, 3), (1, 3), (2, 3), (0, 2)):
        amount.set(done, total, "segments")
    assert (amount.stretch, amount.done, amount.total) == (2, 0, 2)


def test_lines_of_verify_and_prune(run: Run, compress: Run, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs are told how much is checked, of how much; nothing of it is on stderr, which is no terminal here."""
    assert compress(photos, "--no-measure").code == 0
    monkeypatch.setattr(progress, "EVERY", 0)
    result = run("verify", "photos.bca", "--json")
    lines = [line for line in result.all_json if line["type"] == "amount"]
    assert {line["unit"] for line in lines} == {"bytes"}
    assert (
        lines[-1]["amount"]
        <= lines[-1]["of_amount"]
        == sum(one.stat().st_size for one in Path("photos.bca").glob("*.zip"))
    )
    assert lines[-1]["name"] == "sub/c.png"
    assert result.err == ""
    (photos / "a.png").write_bytes((photos / "sub" / "c.png").read_bytes())
    assert compress(photos, "--no-measure").code == 0
    lines = [line for line in run("prune", "photos.bca", "--json").all_json if line["type"] == "amount"]
    assert (lines[-1]["unit"], lines[-1]["of_amount"]) == ("segments", 1)


def test_benchmarks_tell_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of each stage are counted anew; what is timed has no total."""
    seen: list[Amount] = []
    monkeypatch.setattr("batchcomp.cli.gauge.Amount", lambda: seen.append(Amount()) or seen[-1])
    with told("Measuring", 2) as on_done:
        on_done("curves", "a")
        on_done("curves", "b")
        assert (seen[0].done, seen[0].total, seen[0].name) == (2, 2, "curves: b")
        on_done("speed", "jpeg")
        assert (seen[0].done, seen[0].total, seen[0].unit) == (1, 0, "timed")


def test_a_terminal_sees_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first line is there before the work has told anything."""
    text = StringIO()
    monkeypatch.setattr(console, "err", lambda: Console(file=text, force_terminal=True, width=60))
    with showing("Pruning"):
        assert "Pruning  0:00" in text.getvalue()
