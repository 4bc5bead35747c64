"""Sums of a report that can be added up, taken apart again, and kept: whole numbers, so that no order changes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from operator import add, sub
from typing import Final, Self

from batchcomp.kinds import COMPACT, LOSSLESS
from batchcomp.report.rows import ReportRow

UNIT: Final = 2**60  # of fractions: MS-SSIM above 2**-8 loses no bit
_AT_ONCE: Final = 1024  # rows that are added up column by column, twice as fast as row by row
NAMES: Final = (
    *("pictures", "compact", "plain_jpeg", "lossless", "verbatim", "measured", "estimated", "won"),
    *("source_bytes", "archived_bytes", "packed", "packed_bytes", "unpacked_bytes"),
    *("jpeg_known", "jpeg_bytes", "jpeg_rival_bytes"),
    *("bpp_count", "bpp", "ms_ssim", "jpeg_ms_ssim_count", "jpeg_ms_ssim", "ssimulacra2_count", "ssimulacra2"),
)


class Tally:
    """How many pictures of which kind, their bytes, and the sums of their figures.

    `tally["ms_ssim"]` is one of `NAMES`; sums of figures are in steps of 1 / `UNIT`.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Sequence[int] = (0,) * len(NAMES)) -> None:
        """`values` are those of another Tally.

        Raises:
            ValueError: they are not.
        """
        if len(values) != len(NAMES) or any(type(value) is not int for value in values):
            raise ValueError(f"a tally has {len(NAMES)} whole numbers")
        self._values = tuple(values)

    @classmethod
    def of(cls, rows: Iterable[ReportRow]) -> Self:
        """Sum up rows; memory does not grow by them."""
        every, found = map(_of, rows), cls()
        while some := list(islice(every, _AT_ONCE)):
            found.merge(cls(list(map(sum, zip(*some, strict=True)))))
        return found

    def __getitem__(self, name: str) -> int:
        return self._values[NAMES.index(name)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tally) and other._values == self._values

    def __hash__(self) -> int:
        return hash(self._values)

    def __repr__(self) -> str:
        return f"Tally({dict(zip(NAMES, self._values, strict=True))})"

    @property
    def values(self) -> tuple[int, ...]:
        """All numbers in the order of `NAMES`, to be kept."""
        return self._values

    def add(self, row: ReportRow) -> None:
        """Count a row in."""
        self._values = tuple(map(add, self._values, _of(row)))

    def remove(self, row: ReportRow) -> None:
        """Take a row out that was counted."""
        self._values = tuple(map(sub, self._values, _of(row)))

    def merge(self, other: Tally) -> None:
        """Count in all that another one has counted."""
        self._values = tuple(map(add, self._values, other._values))

    def mean(self, name: str) -> float | None:
        """Return the mean of `bpp`, `ms_ssim`, `jpeg_ms_ssim` or `ssimulacra2` over what has it; None of nothing."""
        count = self["measured"] if name == "ms_ssim" else self[f"{name}_count"]
        return self[name] / count / UNIT if count else None


def _of(row: ReportRow) -> tuple[int, ...]:
    measured, rivals, packed = row.ms_ssim is not None, row.jpeg_bytes is not None, row.unpacked_bytes is not None
    stored, archived = row.stored, row.archived_bytes
    return (
        *(1, stored in COMPACT, stored == "jpeg", stored in LOSSLESS, stored == "verbatim"),
        *(measured, row.jpeg_within_db is not None, bool(row.won)),
        *(row.source_bytes, archived, packed, archived if packed else 0, row.unpacked_bytes or 0),
        *(rivals, row.jpeg_bytes or 0, archived if rivals else 0),
        *_figure(row.bpp, measured=measured),
        _figure(row.ms_ssim)[1],
        *_figure(row.jpeg_ms_ssim, measured=measured),
        *_figure(row.ssimulacra2, measured=measured),
    )


def _figure(value: float | None, *, measured: bool = True) -> tuple[int, int]:
    """Return how many figures that is, and their sum; means are over the measured pictures."""
    return (1, int(value * UNIT)) if measured and value is not None else (0, 0)
