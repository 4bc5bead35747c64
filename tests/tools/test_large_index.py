"""`tools/large_index.py`."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from batchcomp.index.archive_index import ArchiveIndex
from batchcomp.index.loading import finish_loading, take_in
from batchcomp.index.schema import connect

TOOL = Path(__file__).parents[2] / "tools" / "large_index.py"


def test_copies_are_what_is_taken_in(tmp_path: Path) -> None:
    """Rows, seals and sums of a segment that was put there quickly are those of one that was taken in, but figures."""
    tool = runpy.run_path(str(TOOL))
    real, quick = connect(tmp_path / "real.sqlite", "large"), connect(tmp_path / "quick.sqlite", "large")
    take_in(quick, tool["segment"](1, 20))
    copies = tool["_Copies"](quick, 20)
    copies.put(2)
    for number in (1, 2):
        take_in(real, tool["segment"](number, 20))
    finish_loading(real)
    finish_loading(quick)
    found = [ArchiveIndex(None, tool["_Opened"](one)) for one in (real, quick)]  # type: ignore[arg-type]
    rows = [[(row.path, row.entry, row.source_sha256, row.place) for row in index.rows()] for index in found]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 40
    assert found[1].tally()["pictures"] == 40
    assert found[1].worst() is not None
    real.close()
    quick.close()


def test_every_question_is_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Made, and gone on with."""
    main = runpy.run_path(str(TOOL))["main"]
    main(tmp_path / "x.sqlite", 3, 10)
    main(tmp_path / "x.sqlite", 6, 10)
    said = capsys.readouterr().out
    for question in ("sums, again", "a page, again", "100 paths, again", "one more segment", "let go"):
        assert f"{question}: " in said
