"""`batchcomp index`, `export`, and the filters of `list` and `report`."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from batchcomp.cli import console
from batchcomp.cli.tables import LONG, long_table, table_of
from batchcomp.index import ArchiveIndex
from tests.archive.samples import sample_row, verbatim_row, write_archive
from tests.cli.conftest import Run


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return an archive of two segments, with two versions of one picture."""
    folder = tmp_path / "made.bca"
    write_archive(folder, [(sample_row("a.png", ms_ssim=0.9), b"a" * 400), (verbatim_row("v.gif"), b"v")])
    write_archive(folder, [(sample_row("a.png", ms_ssim=0.99), b"b" * 300), (sample_row("b.png"), b"b" * 500)])
    return folder


def test_it_says_where_it_lies_and_what_it_holds(run: Run, archive: Path, cache_folder: Path) -> None:
    """For people and for programs."""
    result = run("index", archive)
    (file,) = cache_folder.rglob("*.sqlite")
    assert result.code == 0
    assert result.out.startswith(f"{archive}: 3 pictures, 4 versions in 2 segments\n{file}: ")
    found, summary = run("index", archive, "--json").json
    assert found == {
        "type": "index",
        "schema": 1,
        "file": str(file),
        "bytes": file.stat().st_size,
        "pictures": 3,
        "versions": 4,
        "segments": 2,
    }
    assert summary["exit_code"] == 0


def test_it_is_made_anew(run: Run, archive: Path, cache_folder: Path) -> None:
    """Whatever stands in it: on demand, and by itself where a row is not what was put there."""
    run("index", archive)
    (file,) = cache_folder.rglob("*.sqlite")
    connection = sqlite3.connect(file)
    connection.execute("UPDATE picture SET path = 'wrong' WHERE path = 'b.png'")
    connection.commit()
    connection.close()
    assert run("list", archive).out.splitlines() == ["v.gif", "a.png", "b.png"]
    assert run("index", archive, "--rebuild").code == 0
    assert run("list", archive).out.splitlines() == ["v.gif", "a.png", "b.png"]


@pytest.mark.parametrize("options", [("--where", "width > 0"), ("--at", "2100-01-01")])
def test_a_picture_that_seems_superseded_is_listed(
    run: Run, archive: Path, cache_folder: Path, options: tuple[str, str]
) -> None:
    """With a filter, or at a moment, as without: the index is made anew."""
    whole = run("list", archive, *options).out
    (file,) = cache_folder.rglob("*.sqlite")
    connection = sqlite3.connect(file)
    connection.execute("UPDATE picture SET next = 77 WHERE path = 'b.png'")
    connection.commit()
    connection.close()
    assert run("list", archive, *options).out == whole
    assert "b.png" in whole


def test_one_that_is_in_use_is_not_made_anew(run: Run, archive: Path) -> None:
    """Another process, `serve` perhaps, goes on with it."""
    with ArchiveIndex.open(archive):
        result = run("index", archive, "--rebuild")
    assert result.code == 11
    assert "another process uses its index" in result.err
    assert run("index", archive, "--rebuild").code == 0


def test_damage_is_damage(run: Run, archive: Path) -> None:
    """An index of what is damaged ends as every command that meets damage."""
    (archive / "000001.zip").write_bytes(b"rubbish")
    result = run("index", archive)
    assert result.code == 4
    assert "1 picture" not in result.out
    assert "damaged: 000001.zip" in result.err


def test_a_cache_that_cannot_be_written_stops_nothing(
    run: Run, archive: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists, reports and runs go on; `index` says that it costs time."""
    (cache_folder / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_folder / "file"))
    assert run("list", archive).out.splitlines() == ["v.gif", "a.png", "b.png"]
    assert "each command makes the index anew" in run("index", archive).out


def test_a_filter_leaves_what_fits(run: Run, archive: Path) -> None:
    """Of lists and of reports, whose totals are then of what is left; several filters are all to fit."""
    assert run("list", archive, "--where", "ms-ssim < 0.985").out == "b.png\n"
    assert run("list", archive, "--where", "kind = compact", "--where", "archived > 400").out == "b.png\n"
    lines = run("report", archive, "--where", "kind = compact", "--json").json
    assert [line["path"] for line in lines[:2]] == ["a.png", "b.png"]
    assert (lines[2]["pictures"], lines[2]["archived_bytes"], lines[2]["worst_path"]) == (2, 800, "b.png")
    assert run("list", archive, "*.png", "--where", "size < 3").out == ""
    result = run("list", archive, "--where", "colour = red")
    assert result.code == 2
    assert "expected one of date, added, kind" in result.err


def test_totals_are_those_of_the_rows(run: Run, archive: Path) -> None:
    """What the index keeps, and what a filter that all pass sums up, are the same to the last digit."""
    kept = run("report", archive, "--json").json[-2]
    summed = run("report", archive, "--json", "--where", "size >= 0").json[-2]
    assert kept == summed
    assert kept["type"] == "totals"


def test_the_table_is_a_page(run: Run, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many rows as fit, and a word on the others; all of them where that is asked for, or so many worst."""
    monkeypatch.setattr(console, "PIPE_ROWS", 2)
    result = run("report", archive)
    assert "v.gif" not in result.out
    assert "2 of 3 pictures shown; --all shows all\n" in result.out
    assert "3 pictures" in result.out.splitlines()[0]
    everything = run("report", archive, "--all").out
    assert "v.gif" in everything
    assert "shown; --all" not in everything
    assert "shown; --all" not in run("report", archive, "--worst", 3).out
    assert len(run("report", archive, "--json").json) == 5
    assert len(run("report", archive, "--csv").out.splitlines()) == 4


@pytest.mark.parametrize("width", [80, 120, 400])
@pytest.mark.parametrize("spare", [(), (1, 2)])
def test_a_long_table_looks_like_a_short_one(width: int, spare: tuple[int, ...]) -> None:
    """The same lines, whoever draws them, of wide letters and control characters too."""
    from rich.console import Console  # noqa: PLC0415  # slow to import

    columns = [("picture", "left"), ("a", "right"), ("many words in a heading " * 3, "left")]
    rows = [[f"{'name' * number}", "9" * number, "x" * (3 * number)] for number in range(1, 13)]
    rows += [["\u65e5\u672c.png", "\x1b[1m", "\u00e9"]]
    footer = ["in all", "1", ""]
    console = Console(width=width)
    drawn = Console(width=10_000 if not spare else width, highlight=False)
    with drawn.capture() as capture:
        drawn.print(table_of(console, "", columns, rows, footer, spare=spare))
    long = [line.rstrip() for line in long_table(console, columns, rows, footer, spare=spare)]
    assert long == [line.rstrip() for line in capture.get().splitlines()]


def test_a_table_of_very_many_rows_is_complete(run: Run, tmp_path: Path) -> None:
    """Every picture has its line where all are asked for."""
    count = LONG + 1
    write_archive(tmp_path / "many.bca", [(sample_row(f"{number:04}.png"), b"x" * 9) for number in range(count)])
    lines = run("report", "many.bca", "--all").out.splitlines()
    assert [line.split()[0] for line in lines if ".png " in line and "768x512" in line] == [
        f"{number:04}.png" for number in range(count)
    ]
    assert sum(line.strip().startswith(f"{count} pictures") for line in lines) == 1


def test_an_export_is_a_file_for_analyses(run: Run, archive: Path) -> None:
    """What patterns and filters leave; a file that is there stays unless it may go."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra [parquet]")
    result = run("export", archive, "*.png", "--where", "ms-ssim > 0.985", "--parquet", "x.parquet")
    assert (result.code, result.out.startswith("x.parquet: 1 picture, ")) == (0, True)
    assert parquet.read_table("x.parquet")["path"].to_pylist() == ["a.png"]
    inside = run("export", archive, "--parquet", archive / "000001.zip", "--force")
    assert (inside.code, "lies in the archive itself" in inside.err) == (2, True)
    folder = run("export", archive, "--parquet", archive.parent, "--force")
    assert (folder.code, "is a folder; name a file" in folder.err) == (2, True)
    assert run("export", archive, "--parquet", "x.parquet").code == 2
    lines = run("export", archive, "--parquet", "x.parquet", "--force", "--json").out.splitlines()
    assert json.loads(lines[-1])["pictures"] == 3
    assert run("export", archive).code == 2


def test_a_dry_run_of_prune_says_what_the_run_does(run: Run, archive: Path) -> None:
    """By the index or by the manifests: the same versions go."""
    would = run("prune", archive, "--dry-run", "--json").json
    did = run("prune", archive, "--json").json
    assert would[0] == did[0]
    assert [line["type"] for line in would] == ["dropped", "kept", "summary"]
    assert run("prune", archive, "--dry-run", "--json").json[0]["dropped"] == 0
