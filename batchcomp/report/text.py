"""Figures as people read them."""

from __future__ import annotations

import re
import textwrap
from typing import Final, Self

ABSENT = "-"
_LEAST_NOTE: Final = 8  # characters of a note that say something
_GLUE = "\N{WORD JOINER}"  # stands for spaces that are no places to break at; `printable` leaves none in a text


def human(count: float) -> str:
    """Bytes in the unit people read: 812 B, 12.3 kB, 4.5 MB (powers of 1000)."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 999.5 or unit == "TB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError  # the loop returns at TB


def number(value: float | None, places: int) -> str:
    return ABSENT if value is None else f"{value:.{places}f}"


def percent(value: float | None) -> str:
    """A fraction: 0.4 -> 40 %."""
    return ABSENT if value is None else f"{round(value * 100)} %"


def count_of(count: int, what: str) -> str:
    """A number of things: "1 picture", "1,204 pictures"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def pictures(count: int) -> str:
    return count_of(count, "picture")


def printable(text: str) -> str:
    """The text with control characters and broken UTF-8 escaped, so that it moves no terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogateescape").decode() for c in text)


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - takes time that most names need not

    return cell_len(text)


def shortened(text: str, width: int) -> str:
    """The text in at most `width` columns, at least 5: the middle is left out, so that its end can be told."""
    if columns_of(text) <= width:
        return text
    head = (width - 3) // 3
    return f"{_start(text, head)}...{_start(text[::-1], width - 3 - head)[::-1]}"


def _start(text: str, width: int) -> str:
    """As much of its start as there is room for."""
    if text.isascii():
        return text[:width]
    end = 0
    while end < len(text) and (width := width - columns_of(text[end])) >= 0:
        end += 1
    return text[:end]


class Noted(str):
    """A name with a note behind it in parentheses, which goes first where there is no room for both."""

    __slots__ = ("name",)
    name: str

    def __new__(cls, name: str, note: str) -> Self:
        """Put them together."""
        text = super().__new__(cls, f"{name} ({note})")
        text.name = name
        return text


def fitted(text: str, width: int) -> str:
    """The text, printable, in at most `width` columns: the end of a note is left out, else the text's middle."""
    whole = printable(text)
    if columns_of(whole) > width and isinstance(text, Noted):
        name = printable(text.name)
        kept = width - len("...)")
        whole = f"{_start(whole, kept).rstrip()}...)" if kept >= columns_of(name) + _LEAST_NOTE else name
    return shortened(whole, width)


def wrapped(text: str, width: int) -> str:
    """Break one line between words for a terminal of so many columns; paths and commands are never broken."""
    parts = re.split(r"(`[^`]*`)", text)  # a command stays in one piece, if it fits at all
    glued = "".join(part.replace(" ", _GLUE) if part[:1] == "`" and len(part) < width else part for part in parts)
    lines = textwrap.wrap(glued, width, break_long_words=False, break_on_hyphens=False, subsequent_indent="  ")
    return "\n".join(lines).replace(_GLUE, " ") or text
