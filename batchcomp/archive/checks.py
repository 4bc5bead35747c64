"""What a value read from an archive may be: each check says what was expected, or that the value is fine."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], str]
"""Returns what was expected, "" if the value is fine."""


def integer(low: int, high: int) -> Check:
    """A whole number between limits, both included."""

    def check(value: Any) -> str:
        return "" if type(value) is int and low <= value <= high else f"expected a whole number {low}..{high}"

    return check


def number(low: float, high: float) -> Check:
    """A finite number between limits, both included."""

    def check(value: Any) -> str:
        fine = type(value) in (int, float) and math.isfinite(value) and low <= value <= high
        return "" if fine else f"expected a number {low}..{high}"

    return check


def text(limit: int) -> Check:
    """Text of so many characters at most, without lone surrogates."""

    def check(value: Any) -> str:
        fine = isinstance(value, str) and len(value) <= limit and not re.search("[\ud800-\udfff]", value)
        return "" if fine else f"expected text of at most {limit} characters"

    return check


def matches(pattern: str, expected: str) -> Check:
    """Text that matches a pattern as a whole."""
    compiled = re.compile(pattern)

    def check(value: Any) -> str:
        return "" if isinstance(value, str) and compiled.fullmatch(value) else f"expected {expected}"

    return check


def or_none(check: Check) -> Check:
    """None, or what the check allows."""
    return lambda value: "" if value is None else check(value)
