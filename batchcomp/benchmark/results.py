"""What was measured, as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from batchcomp.benchmark.curves import Point

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def to_json(result: DataclassInstance) -> str:
    """Return one JSON object of a dataclass's fields; infinite and undefined numbers become null."""
    return json.dumps(_finite(asdict(result)), indent=1, allow_nan=False)


def points_of(text: str) -> list[Point]:
    """The points of a benchmark's JSON.

    Raises:
        ValueError: it is none, or of another version.
    """
    try:
        return [Point(**{key: _number(value) for key, value in one.items()}) for one in json.loads(text)["points"]]
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no points of a benchmark ({error})") from error


def _number(value: Any) -> Any:
    return math.inf if value is None else value


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
