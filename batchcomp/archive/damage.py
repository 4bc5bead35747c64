"""What is wrong with an archive, as a record: one damaged part does not stop the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from batchcomp.errors import ArchiveDamagedError


@dataclass(frozen=True, kw_only=True)
class Damage:
    """One finding. `segment` is the file's name, `entry` None where the segment as a whole is meant.

    `entry` comes from a distrusted file: escape it before printing. `str(damage)` is escaped.
    """

    segment: str
    entry: str | None
    reason: str

    def __str__(self) -> str:
        entry = "" if self.entry is None else f"{self.entry!r}: "
        return f"{self.segment}: {entry}{self.reason}"

    def told(self, where: object) -> str:
        """The finding in an archive, what it means for whoever reads there, and the next step."""
        stand_in = "; older versions may stand in for what it held" if self.entry is None else ""
        return f"{self}{stand_in}; run `batchcomp repair {where}`"


class FoundDamageError(ArchiveDamagedError):
    """An ArchiveDamagedError that carries its record."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(f"{damage}; run `batchcomp verify` to see what else is damaged")
        self.damage = damage

    def __reduce__(self) -> tuple[type[Self], tuple[Damage], dict[str, Any]]:
        """Between processes it is made again from its record, not from its message."""
        return type(self), (self.damage,), self.__dict__
