"""Results as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from batchcomp.benchmark.results import to_json


@dataclass
class Inner:
    """Something in a result."""

    values: tuple[float, ...]


@dataclass
class Outer:
    """A result."""

    inner: Inner
    by_name: dict[str, float]


def test_numbers_that_json_lacks_become_null() -> None:
    """Infinite and undefined numbers are null wherever they stand; all others stay."""
    found = json.loads(to_json(Outer(inner=Inner(values=(1.5, math.inf)), by_name={"a": math.nan, "b": 2})))
    assert found == {"inner": {"values": [1.5, None]}, "by_name": {"a": None, "b": 2}}
