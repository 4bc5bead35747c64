"""How files are cut into parts: each in one part, none too large, and what may be alike together."""

from __future__ import annotations

import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from batchcomp.images.walk import Item
from batchcomp.pipeline.planning import LEAST_FILES, MOST_FILES, SPLIT, cut, sensible_files


def items(sizes: list[int]) -> list[Item]:
    return [Item(Path(f"/{number}"), str(number), size, 0, 0o644) for number, size in enumerate(sizes)]


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 9), st.integers(1, 120))
def test_every_file_is_in_one_part(sizes: list[int], files: int, most_bytes: int) -> None:
    """A part has at most so many files and bytes, or one file; files of one size are not torn apart by others."""
    found = items(sizes)
    parts = list(cut(found, files, most_bytes))
    flat = [item for part in parts for item in part]
    assert sorted(flat, key=lambda item: int(item.name)) == found
    assert all(len(part) <= files for part in parts)
    assert all(len(part) == 1 or sum(item.size for item in part) <= most_bytes for part in parts)
    order = [item.size for item in flat]
    assert all(order.count(size) == 1 + sum(a == b == size for a, b in itertools.pairwise(order))
               for size in set(order))  # fmt: skip


@given(st.integers(1, 10**10))
def test_parts_are_many_enough_and_not_too_small(count: int) -> None:
    """Where there are enough files, hundreds of parts keep workers busy; no part is done again for long."""
    files = sensible_files(count)
    assert LEAST_FILES <= files <= MOST_FILES
    assert files in (MOST_FILES, LEAST_FILES) or -(-count // files) <= SPLIT
