"""Whose turn it is: a pure function of the step, so that a resumed run goes on with the same net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from batchcomp.errors import TrainingError

Turn = Literal["rec", "com"]


@dataclass(frozen=True, kw_only=True)
class Turns:
    """RecCNN alone for `first` steps, then ComCNN for `com` steps, RecCNN for `rec` steps, and so on.

    ComCNN learns through RecCNN: before that one restores anything, it can teach nothing.
    """

    first: int = 200
    com: int = 20
    rec: int = 40

    def __post_init__(self) -> None:
        """Raise TrainingError where the numbers make no schedule."""
        if self.first < 0 or self.com < 0 or self.rec < 1:
            raise TrainingError(
                f"turns {self}: expected FIRST,COM,REC, steps from 0, 0 and 1 on; "
                f"{Turns.first},{Turns.com},{Turns.rec} is the default"
            )

    def __str__(self) -> str:
        return f"{self.first},{self.com},{self.rec}"

    @classmethod
    def parse(cls, text: str) -> Turns:
        """Read FIRST,COM,REC.

        Raises:
            TrainingError: it is something else.
        """
        parts = text.split(",")
        if len(parts) != 3 or not all(map(_is_count, parts)):
            raise TrainingError(f"turns {text!r}: expected three whole numbers FIRST,COM,REC, as in {cls()}")
        first, com, rec = (int(part) for part in parts)
        return cls(first=first, com=com, rec=rec)

    def at(self, step: int) -> Turn:
        """The net that learns in step number `step`, from 0 on."""
        if step < self.first:
            return "rec"
        return "com" if (step - self.first) % (self.com + self.rec) < self.com else "rec"


def _is_count(text: str) -> bool:
    return text.strip().isdecimal() and len(text.strip()) <= 9
