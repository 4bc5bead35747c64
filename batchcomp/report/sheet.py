"""One table of figures, before anything draws it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A title, (heading, justify) columns, rows of cells."""

    title: str
    columns: list[tuple[str, str]]
    rows: list[list[str]]
