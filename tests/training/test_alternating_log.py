"""The log of alternating training."""

from __future__ import annotations

from pathlib import Path

from batchcomp.training.alternating_run import AlternatingTrainer
from tests.training.test_alternating_run import columns_of, settings


def test_the_log_tells_the_turns(photos: Path, tmp_path: Path) -> None:
    """A row ends with its turn, every `log_every` steps and with every dev score; the first is where it starts."""
    AlternatingTrainer(photos, tmp_path, settings()).train()
    rows = columns_of(tmp_path, "step", "turn", "dev_bd_rate")
    assert [(step, turn) for step, turn, _ in rows] == [
        ("0", "rec"), ("2", "rec"), ("3", "com"), ("4", "com"), ("5", "rec"), ("6", "com"), ("7", "com"), ("8", "rec"),
    ]  # fmt: skip
    assert [step for step, _, score in rows if score] == ["0", "4", "8"]
