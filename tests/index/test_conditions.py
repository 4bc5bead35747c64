"""Conditions are such that SQLite finds what fits them by an index."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from batchcomp.index.columns import select
from batchcomp.index.conditions import CURRENT, Condition, any_of, below, one_of, relatives_of
from batchcomp.index.schema import INDEXES, connect

FEW = {
    "a picture or a folder": [below("a")],
    "some of them": [any_of(map(below, "abcdefghijkl"))],
    "a family": list(relatives_of("sub/IMG_1.jpg", ["sub", "SUB"])),
    "another family": list(relatives_of("\xe9.png", [""])),
    "ids": list(one_of("p.id", [1, 2, 3])),
}


def plan(condition: Condition) -> Iterator[str]:
    """Yield the steps by which SQLite finds what fits."""
    database = connect("", "x")
    for statement in INDEXES.values():
        database.execute(statement)
    sql = f"EXPLAIN QUERY PLAN {select('p.id', (condition & CURRENT).sql)} ORDER BY p.id LIMIT -1 OFFSET 0"
    for step in database.execute(sql, condition.values):
        yield step[3]
    database.close()


@pytest.mark.parametrize("name", FEW)
def test_few_are_found_without_looking_at_all(name: str) -> None:
    """Of millions of rows only those that may fit are read."""
    for condition in FEW[name]:
        steps = list(plan(condition))
        assert any(step.startswith("SEARCH p ") for step in steps), steps
        assert not [step for step in steps if step.startswith("SCAN p")]
