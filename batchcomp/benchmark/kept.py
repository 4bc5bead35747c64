"""Curves that take minutes to measure, kept from one run of a tool to the next."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class KeptCurves:
    """Rows of numbers by name, in a JSON file where one is given."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, list[list[float]]] = {}
        if path is not None and path.exists():
            self._known = json.loads(path.read_text(encoding="utf-8"))

    def of(self, name: str, measure: Callable[[], Sequence[Sequence[float]]]) -> NDArray[np.float64]:
        """Return a curve, measured now if it is new."""
        if name not in self._known:
            self._known[name] = [list(row) for row in measure()]
            if self._path is not None:
                self._path.write_text(json.dumps(self._known), encoding="utf-8")
        return np.array(self._known[name])
