"""Filters as people write them: `ms-ssim < 0.97 and (kind = jpeg or size > 5MB) and date >= 2025-07`.

    filter     = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation   = "not" negation | "(" filter ")" | FIELD OPERATOR VALUE

An operator is one of < <= = != >= >. No part of the text becomes SQL: fields and operators are looked up, values are
bound. A picture that has no such figure fits no comparison with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from batchcomp.errors import UsageError
from batchcomp.index.conditions import Condition
from batchcomp.index.moments import interval_of
from batchcomp.index.order import BPP, GAIN, SAVED
from batchcomp.kinds import KINDS

_MOST_TOKENS: Final = 200
_TOKEN: Final = re.compile(r"\s*(<=|>=|!=|<|>|==?|[()]|'[^']*'|\"[^\"]*\"|[^\s<>=!()'\"]+)")
_OPERATORS: Final = {"<": "<", "<=": "<=", "=": "=", "==": "=", "!=": "!=", ">": ">", ">=": ">="}
_UNITS: Final = {"b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)(k|m|g|t|ki|mi|gi)?b?", re.IGNORECASE | re.ASCII)
_UNIT: Final = re.compile(r"b|(?:k|m|g|t|ki|mi|gi)b?", re.IGNORECASE)
_NUMBER: Final = re.compile(r"([+-]?\d+(?:\.\d+)?)(%?)", re.ASCII)

LastId = Callable[[datetime], int]


def _number(text: str) -> float | None:
    match = _NUMBER.fullmatch(text)
    return (float(match[1]) / 100 if match[2] else float(match[1])) if match else None


def _bytes(text: str) -> float | None:
    match = _SIZE.fullmatch(text)
    return float(match[1]) * _UNITS[(match[2] or "b").lower()] if match else None


def _kind(text: str) -> str | None:
    return text if text in KINDS else None


@dataclass(frozen=True, kw_only=True)
class _Field:
    """What can be compared: SQL of ours, what reads its value, and what that expects."""

    sql: str
    value: Callable[[str], float | str | None] = _number
    expected: str = "a number"
    operators: Sequence[str] = field(default=tuple(_OPERATORS))


_SIZED: Final = "a size such as 9000, 12kB or 5MB"
_FIELDS: Final = {
    "kind": _Field(sql="m.stored", value=_kind, expected=f"one of {', '.join(KINDS)}", operators=("=", "==", "!=")),
    "source": _Field(sql="p.source_bytes", value=_bytes, expected=_SIZED),
    "archived": _Field(sql="p.payload_bytes", value=_bytes, expected=_SIZED),
    "width": _Field(sql="p.width"),
    "height": _Field(sql="p.height"),
    "pixels": _Field(sql="p.width * p.height", value=_bytes, expected="a number such as 12000000 or 12M"),
    "quality": _Field(sql="m.quality"),
    "bpp": _Field(sql=BPP),
    "ms-ssim": _Field(sql="p.ms_ssim"),
    "ssimulacra2": _Field(sql="p.ssimulacra2"),
    "gain": _Field(sql=GAIN),
    "saved": _Field(sql=SAVED, expected="a number or a percentage: 0.4, 40%"),
}
_SAME: Final = {"size": "source", "stored": "kind", "ms_ssim": "ms-ssim", "msssim": "ms-ssim", "changed": "date"}
DATES: Final = ("date", "added")  # when the file changed last, when it was archived
NAMES: Final = (*DATES, *_FIELDS)


def parse(text: str, last_id: LastId) -> Condition:
    """Return what a filter means.

    Args:
        text: the filter.
        last_id: gives the greatest id that a picture had at a moment, see `ArchiveIndex.last_id`.

    Raises:
        UsageError: it is none; the message says what was expected, and where.
    """
    return _Parser(text, last_id).all()


class _Parser:
    """Reads a filter from the left, a token at a time."""

    def __init__(self, text: str, last_id: LastId) -> None:
        self._text, self._last_id = text, last_id
        self._tokens = self._cut()
        self._at = 0

    def all(self) -> Condition:
        found = self._either()
        if self._at < len(self._tokens):
            raise self._wrong("and, or")
        return found

    def _cut(self) -> list[str]:
        tokens, at = list[str](), 0
        text = self._text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None or len(tokens) == _MOST_TOKENS:
                raise UsageError(
                    f"--where {self._text!r}: {text[at:].strip()[:40]!r} cannot be read; see docs/usage.md"
                )
            tokens.append(match[1])
            at = match.end()
        return tokens

    def _either(self) -> Condition:
        found = self._both()
        while self._take("or"):
            found |= self._both()
        return found

    def _both(self) -> Condition:
        found = self._negated()
        while self._take("and"):
            found &= self._negated()
        return found

    def _negated(self) -> Condition:
        if self._take("not"):
            return ~self._negated()
        if self._take("("):
            found = self._either()
            if not self._take(")"):
                raise self._wrong(")")
            return found
        return self._comparison()

    def _comparison(self) -> Condition:
        name = _SAME.get(self._peek().lower(), self._peek().lower())
        if name not in NAMES:
            raise self._wrong(f"one of {', '.join(NAMES)}")
        self._at += 1
        operators = tuple(_OPERATORS) if name in DATES else _FIELDS[name].operators
        if self._peek() not in operators:
            raise self._wrong(" or ".join(operators))
        operator = _OPERATORS[self._next()]
        if name in DATES:
            return self._dated(name, operator)
        self._join_unit(name)
        found = _FIELDS[name].value(self._unquoted())
        if found is None:
            raise self._wrong(_FIELDS[name].expected)
        self._at += 1
        return Condition(sql=f"{_FIELDS[name].sql} {operator} ?", values=(found,))

    def _join_unit(self, name: str) -> None:
        """Take `5 MB` for `5MB`."""
        number, *rest = self._tokens[self._at : self._at + 2] or [""]
        if _FIELDS[name].value is _bytes and rest and number[-1:].isdigit() and _UNIT.fullmatch(rest[0]):
            self._tokens[self._at : self._at + 2] = [number + rest[0]]

    def _dated(self, name: str, operator: str) -> Condition:
        """Hold a time against the first and the last moment of a year, a month, a day, a minute or a second."""
        found = interval_of(self._unquoted())
        if found is None:
            raise self._wrong("a date: 2025, 2025-07, 2025-07-14 or 2025-07-14T12:30")
        self._at += 1
        if name == "added":
            column = "p.id"
            first, end = (self._last_id(datetime.fromtimestamp(moment - 1, UTC)) + 1 for moment in found)
        else:
            column, (first, end) = "p.mtime_s", found
        sql, values = {
            "<": (f"{column} < ?", (first,)),
            "<=": (f"{column} < ?", (end,)),
            "=": (f"{column} >= ? AND {column} < ?", (first, end)),
            "!=": (f"{column} < ? OR {column} >= ?", (first, end)),
            ">=": (f"{column} >= ?", (first,)),
            ">": (f"{column} >= ?", (end,)),
        }[operator]
        return Condition(sql=f"({sql})", values=values)

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, word: str) -> bool:
        if self._peek().lower() != word:
            return False
        self._at += 1
        return True

    def _unquoted(self) -> str:
        token = self._peek()
        return token[1:-1] if token[:1] in {"'", '"'} else token

    def _wrong(self, expected: str) -> UsageError:
        before = " ".join(self._tokens[: self._at])
        where = f" after {before[-40:]!r}" if before else ""
        there = f", not {self._peek()[:40]!r}" if self._peek() else ", but it ends there"
        return UsageError(f"--where {self._text!r}: expected {expected}{where}{there}")
