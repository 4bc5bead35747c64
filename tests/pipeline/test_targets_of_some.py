"""Names of restored pictures, worked out from a few rows of an archive instead of all."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from batchcomp.archive.names import clash_key
from batchcomp.index import ArchiveIndex
from batchcomp.index.conditions import CURRENT, up_to
from batchcomp.index.schema import ids_of
from batchcomp.pipeline.targets import Names, target_names
from tests.archive.samples import sample_row, verbatim_row, write_archive

NAMES = ["a", "A", "a.png", "a.PNG", "a.jpg", "a~2", "a~2.png", "a.b.png", "b", ".a", "\xe9", "e\u0301"]
ODD = ["ab.png", "AB.jpg", "Ab.gif", "\u212a.png", "k.jpg", "K", "%5C.png", "%5C", f"{'l' * 39}.png", f"{'L' * 40}.gif"]
PART = st.sampled_from([*NAMES, *ODD, f"{'l' * 40}.png", f"{'l' * 41}.png"])
PATHS = st.lists(st.lists(PART, min_size=1, max_size=3).map("/".join), unique=True, min_size=1, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(["a.jpg", "a.png/a", "A"], ["png", "verbatim"])
@example(["a.gif", "A.gif", "a~2.gif"], ["verbatim"])
@given(PATHS, st.lists(st.sampled_from(["png", "verbatim"]), min_size=1))
def test_some_get_the_names_that_they_have_among_all(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], kinds: list[str]
) -> None:
    """On a disk that tells all names apart, and on one that does not, in the present and in the past."""
    folder = tmp_path_factory.mktemp("made") / "x.bca"
    rows = [
        (verbatim_row(path) if kinds[number % len(kinds)] == "verbatim" else sample_row(path), b"%d" % number)
        for number, path in enumerate(paths)
    ]
    write_archive(folder, rows[: len(rows) // 2 + 1])
    if rest := rows[len(rows) // 2 + 1 :]:
        write_archive(folder, rest)
    with ArchiveIndex.open(folder) as index:
        for view in (CURRENT, up_to(ids_of(1)[1])):
            there = list(index.rows(view))
            for same in (str, clash_key):
                every = target_names(there, "png", same=same)
                for row in there:
                    some = Names(partial(index.relatives, condition=view), "png", same)
                    assert some[row.path] == every[row.path]


def test_one_picture_needs_no_other(tmp_path: Path) -> None:
    """Of many pictures only those that are called alike are looked at."""
    folder = tmp_path / "x.bca"
    write_archive(folder, [(sample_row(f"sub/{number}.png"), b"x") for number in range(50)])
    write_archive(folder, [(sample_row("sub/7.jpg"), b"x")])
    with ArchiveIndex.open(folder) as index:
        rows, folders = index.relatives(["sub/7.png"], CURRENT)
    assert [row.path for row in rows] == ["sub/7.png", "sub/7.jpg"]
    assert folders == {"sub"}
