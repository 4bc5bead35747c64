"""`docs/commands.md` is what the commands say of themselves."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOL = runpy.run_path(str(ROOT / "tools" / "command_reference.py"))


def test_the_reference_is_current() -> None:
    """After a change: `python tools/command_reference.py docs/commands.md`."""
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == TOOL["reference"]()


def test_every_command_fits_a_terminal() -> None:
    text = TOOL["reference"]()
    fenced = [line for block in text.split("```")[1::2] for line in block.splitlines()]
    assert [line for line in fenced if len(line) > 80] == []
    for command in ("compress", "decode", "report", "verify", "bench curves", "train joint"):
        assert f"## batchcomp {command}\n" in text
