"""Dates as filters name them: the whole of a year, a month, a day, a minute or a second."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta
from typing import Final

_DATE: Final = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)


def interval_of(text: str) -> tuple[int, int] | None:
    """Return the first second of what a date names and the first one after it, since 1970 UTC; None: it is no date.

    A date without a zone is this machine's.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) if part else None for part in match.groups()[:6])
    try:
        first = datetime(year or 0, month or 1, day or 1, hour or 0, minute or 0, second or 0)  # noqa: DTZ001  # below
        end = first + _length(first, match.groups()[1:6])
        if match[7]:
            zone = datetime.fromisoformat(f"2000-01-01T00:00:00{match[7]}").tzinfo
            first, end = first.replace(tzinfo=zone), end.replace(tzinfo=zone)
        return int(first.astimezone(UTC).timestamp()), int(end.astimezone(UTC).timestamp())
    except (ValueError, OverflowError, OSError):
        return None


def _length(first: datetime, given: tuple[str | None, ...]) -> timedelta:
    """Return how long what is given lasts: month, day, hour, minute and second, as far as they are there."""
    month, day, hour, _, second = given
    if month is None:
        return timedelta(days=366 if calendar.isleap(first.year) else 365)
    if day is None:
        return timedelta(days=calendar.monthrange(first.year, first.month)[1])
    if hour is None:
        return timedelta(days=1)
    return timedelta(minutes=1) if second is None else timedelta(seconds=1)
