"""What `verify` and `repair` say of recovery data."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from batchcomp.cli import console
from batchcomp.report.text import count_of

if TYPE_CHECKING:
    from batchcomp.archive import Standing


def show(found: Standing, counts: Counter[str], *, as_json: bool) -> None:
    """Say what the recovery data of one segment can do, in text only where there is damage, and count it."""
    least = (counts["recovery_bears_blocks"], counts["recovery_bears_bytes"])
    if not counts["recovery_segments"] or found.bears_bytes < least[1]:
        counts["recovery_bears_blocks"], counts["recovery_bears_bytes"] = found.bears, found.bears_bytes
        counts["recovery_block_bytes"] = found.block
    counts["recovery_segments"] += 1
    if found.damage:
        counts["damaged"] += 1
        console.show_damage(found.damage, as_json=as_json)
    if as_json:
        console.json_line(
            "recovery",
            segment=found.segment,
            block_bytes=found.block,
            blocks=found.blocks,
            bears_blocks=found.bears,
            bears_bytes=found.bears_bytes,
            damaged_blocks=found.lost,
            restorable=found.restorable,
        )
    elif found.lost:
        console.say(_outlook(found), style=console.PROBLEM)


def _outlook(found: Standing) -> str:
    verb = "is" if found.lost == 1 else "are"
    text = f"{found.segment}: {found.lost:,} of {count_of(found.blocks, 'block')} {verb} damaged"
    if found.restorable:
        return f"{text}; the recovery data gives them back: run `batchcomp repair`"
    return f"{text}, the recovery data makes up for {found.bears:,}: `batchcomp repair` saves what is intact"


def summary(counts: Counter[str]) -> str:
    """Say how much damage every segment that has recovery data bears."""
    return (
        f", recovery data {counts['recovery_segments']} of {count_of(counts['segments'], 'segment')}, each bears up to "
        f"{count_of(counts['recovery_bears_blocks'], 'damaged block')} of {counts['recovery_block_bytes']} bytes or "
        f"{counts['recovery_bears_bytes']:,} bytes in one piece"
    )
