"""Whose turn it is."""

from __future__ import annotations

import pytest

from batchcomp.errors import TrainingError
from batchcomp.training.turns import Turns


def test_turns_follow_their_schedule() -> None:
    """RecCNN alone first, then both in turns, ComCNN beginning."""
    turns = Turns.parse("3,2,1")
    assert [turns.at(step) for step in range(9)] == ["rec"] * 3 + ["com", "com", "rec", "com", "com", "rec"]
    assert Turns.parse(str(turns)) == turns
    assert {Turns(com=0).at(step) for step in range(500)} == {"rec"}


@pytest.mark.parametrize("text", ["", "1,2", "1,2,3,4", "1,2,x", "-1,2,3", "1,1,0"])
def test_impossible_turns_are_refused(text: str) -> None:
    """The message says what is expected."""
    with pytest.raises(TrainingError, match="FIRST,COM,REC"):
        Turns.parse(text)
