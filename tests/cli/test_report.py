"""`batchcomp report` and `list`: which archive, which rows, in which form."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from batchcomp.cli import console
from batchcomp.cli.state import choose_archive, remember_archive
from batchcomp.errors import ArchiveNotFoundError
from tests.archive.samples import sample_row, verbatim_row, write_archive
from tests.cli.conftest import Run

LONG = "2024-08 summer holiday/a picture with a long name 0001.png"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return an archive of made-up figures."""
    folder = tmp_path / "made.bca"
    rows = [
        sample_row("won.png", ms_ssim=0.98, source_bytes=100_000),
        sample_row("lost.png", ms_ssim=0.95, source_bytes=50_000),
        sample_row(LONG, ms_ssim=0.97, width=131_000, height=99_999, source_bytes=123_456_789),
        verbatim_row("alpha.png", source_bytes=4),
        sample_row("unmeasured.png", ms_ssim=None, jpeg=None, source_bytes=80_000),
    ]
    write_archive(folder, [(row, b"x" * 4 if row.stored == "verbatim" else b"x" * 20_000) for row in rows])
    return folder


def test_the_table_has_a_row_for_each_picture(run: Run, archive: Path) -> None:
    """Each row shows size, bytes, bpp, MS-SSIM, JPEG's figures and what was saved."""
    result = run("report", archive)
    assert result.code == 0
    assert result.err == ""
    (row,) = (line for line in result.out.splitlines() if "won.png" in line)
    assert " ".join(row.split()) == "won.png 768x512 100.0 kB 20.0 kB 80 % 0.407 0.9800 0.9612 32.1 kB 38 %"
    assert result.out.startswith(
        f"{archive}: 5 pictures, 123.7 MB -> 80.0 kB; plain JPEG of the same quality would take"
    )
    assert "all of the 3 measured but 1 better than JPEG at the same bytes\n" in result.out
    assert "worst MS-SSIM: 0.9500, lost.png" in result.out
    assert "stored without measuring: 1 picture" in result.out
    assert f"{(archive / '000001.zip').stat().st_size / 1000:.1f} kB" in result.out


@pytest.mark.parametrize("width", [48, 60])
def test_names_can_be_told_on_a_small_terminal(
    run: Run, archive: Path, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns go before names do, and the sum is never shortened."""
    monkeypatch.setattr(console, "out", lambda: Console(width=width, highlight=False))
    lines = run("report", archive).out.splitlines()
    table = lines[next(n for n, line in enumerate(lines) if "picture " in line and "archived" in line) :]
    assert max(map(len, table[: next(n for n, line in enumerate(table) if "5 pictures" in line)])) <= width
    for name in ("won.png", "lost.png", "alpha.png", "unmeasured.png", "5 pictures"):
        assert any(line.strip().startswith(name) for line in table)


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_the_table_fits_the_terminal(run: Run, archive: Path, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 80 columns on a picture is a line: names lose their middle, and what matters less is left out."""
    monkeypatch.setattr(console, "out", lambda: Console(width=width, highlight=False))
    text = run("report", archive).out
    lines = text.splitlines()[1:]
    assert max(map(len, lines[: lines.index("")] if "" in lines[2:] else lines)) <= width
    assert sum("0.9800" in line for line in lines) == sum("won.png" in line for line in lines) == 1
    (long,) = (line for line in lines if "0001.png" in line)
    assert ("..." in long) == (width < 200)
    for figure in ("won.png", "20.0 kB", "80 %", "0.9800", "38 %"):
        assert figure in text
    for heading in ("picture", "archived", "saved", "MS-SSIM", "saved vs JPEG"):
        assert heading in text
    assert ("131000x99999" in text) == (width >= 200)
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


def test_names_stay_on_the_narrowest_terminal(run: Run, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures go, to the last column, before the names that they belong to."""
    monkeypatch.setattr(console, "out", lambda: Console(width=20, highlight=False))
    lines = run("report", archive).out.splitlines()
    table = lines[next(n for n, line in enumerate(lines) if line.strip() == "picture") :]
    assert any(line.strip() == "won.png" for line in table)
    assert any(line.strip().endswith("0001.png") and "..." in line for line in table)


def test_a_wide_name_takes_one_line(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters of two columns count as two where names lose their middle."""
    monkeypatch.setattr(console, "out", lambda: Console(width=80, highlight=False))
    write_archive(tmp_path / "made.bca", [(sample_row("\u5199\u771f" * 20 + ".jpg"), b"x" * 20_000)])
    lines = [line for line in run("report", "made.bca").out.splitlines() if "\u5199" in line and ".jpg" in line]
    assert len([line for line in lines if "..." in line and "kB" in line]) == 1
    assert max(map(cell_len, lines[:1])) <= 80


def test_icons_are_not_the_worst(run: Run, tmp_path: Path) -> None:
    """MS-SSIM says little of tiny pictures, so that the worst is found among the others."""
    rows = [sample_row("icon.png", ms_ssim=0.5, width=32, height=32), sample_row("photo.png", ms_ssim=0.97)]
    write_archive(tmp_path / "made.bca", [(row, b"x" * 20_000) for row in rows])
    result = run("report", "made.bca", "--worst", 1)
    assert "photo.png" in result.out
    assert "icon.png" not in result.out


def test_a_pipe_gets_whole_rows(run: Run, archive: Path) -> None:
    """Where stdout is no terminal a row is a line, however long its name."""
    assert any(LONG in line and "131000x99999" in line for line in run("report", archive).out.splitlines())


def test_json_has_a_line_for_each_picture(run: Run, archive: Path) -> None:
    """--json gives pictures, totals and summary with type and schema, numbers unrounded."""
    *pictures, totals, summary = run("report", archive, "--json").json
    assert {line["schema"] for line in (*pictures, totals, summary)} == {1}
    assert [line["type"] for line in (*pictures, totals, summary)] == ["picture"] * 5 + ["totals", "summary"]
    assert [picture["path"] for picture in pictures] == sorted(
        ["won.png", "lost.png", LONG, "alpha.png", "unmeasured.png"]
    )
    assert pictures[-1]["bpp"] == 20_000 * 8 / (768 * 512)
    assert pictures[-1]["jpeg_bytes"] == 32_111
    assert totals["won"] == 2
    assert totals["worst_path"] == "lost.png"
    assert (summary["exit_code"], summary["pictures"], summary["damaged"]) == (0, 5, 0)


def test_csv_has_a_heading_and_a_row_for_each_picture(run: Run, archive: Path) -> None:
    """--csv is read back by any CSV reader; what was not measured is empty."""
    rows = list(csv.DictReader(io.StringIO(run("report", archive, "--csv").out)))
    assert len(rows) == 5
    by_path = {row["path"]: row for row in rows}
    assert by_path["won.png"]["ms_ssim"] == "0.98"
    assert by_path["alpha.png"]["ms_ssim"] == ""


@pytest.mark.parametrize("name", ["json", "csv"])
def test_a_format_has_a_short_form(run: Run, archive: Path, name: str) -> None:
    """`--json` and `--csv` are `--format json` and `--format csv`, to the byte but for the time of the run."""
    long, short = run("report", archive, "--format", name).out, run("report", archive, f"--{name}").out
    assert re.sub(r'"run_seconds": [0-9.]+', "", long) == re.sub(r'"run_seconds": [0-9.]+', "", short)


@pytest.mark.parametrize(
    ("column", "first"),
    [("path", LONG), ("size", LONG), ("source", LONG), ("ms-ssim", "lost.png"), ("gain", "lost.png"), ("saved", LONG)],
)
def test_sorting(run: Run, archive: Path, column: str, first: str) -> None:
    """Sizes sort from the largest, likeness and gain from the worst, paths from A."""
    assert run("report", archive, "--json", "--sort", column).json[0]["path"] == first


def test_worst_keeps_the_least_gain(run: Run, archive: Path) -> None:
    """--worst N shows the N measured pictures that gained least over JPEG; totals are still over all."""
    *pictures, totals, _ = run("report", archive, "--json", "--worst", 2).json
    assert [picture["path"] for picture in pictures] == ["lost.png", LONG]
    assert totals["pictures"] == 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--sort", "colour"], "ms-ssim"),
        (["--json", "--csv"], "choose one"),
        (["--format", "table", "--csv"], "choose one"),
        (["--worst", "0"], ""),
    ],
)
def test_usage_errors(run: Run, archive: Path, options: list[str], said: str) -> None:
    """Options that make no sense end with exit code 2 and say what does."""
    result = run("report", archive, *options)
    assert result.code == 2
    assert said in result.err
    assert [line["type"] for line in result.json] == ["summary"] * ("--json" in options)


def test_list_gives_paths_and_json(run: Run, archive: Path) -> None:
    """`list` prints paths; with --json an object a line with path, segment and entry."""
    paths = run("list", archive).out.splitlines()
    assert paths == ["won.png", "lost.png", LONG, "alpha.png", "unmeasured.png"]
    *lines, summary = run("list", archive, "--json").json
    assert (summary["type"], summary["pictures"]) == ("summary", 5)
    assert [line["path"] for line in lines] == paths
    assert all((line["type"], line["schema"], line["segment"]) == ("picture", 1, 1) for line in lines)
    assert lines[0]["entry"] == "won.png.jpg"


def test_damage_ends_a_report_with_4(run: Run, archive: Path) -> None:
    """A segment that cannot be read is named, the exit code says so, and what is sound is shown."""
    write_archive(archive, [(sample_row("second.png"), b"more")])
    (archive / "000001.zip").write_bytes(b"")
    for command in ("report", "list"):
        result = run(command, archive)
        assert result.code == 4
        assert "000001.zip" in result.err
        assert "second.png" in result.out


def test_the_archive_of_the_folder_is_meant_before_the_one_last_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is said, but not to those who read JSON or asked for quiet."""
    photos, archive, kept = tmp_path / "photos", tmp_path / "photos.bca", tmp_path / "elsewhere/kept.bca"
    (photos / "sub").mkdir(parents=True)
    kept.parent.mkdir()
    write_archive(archive, [(sample_row("a.png"), b"data")])
    write_archive(kept, [(sample_row("kept.png"), b"data")])
    remember_archive(kept)
    result = run("list")
    assert result.out == "a.png\n"
    assert result.err == "photos.bca: the archive of the current folder\n"
    assert run("list", "--json").err == run("list", "--quiet").err == run("list", "photos.bca").err == ""
    for folder in (photos, photos / "sub", archive):
        monkeypatch.chdir(folder)
        assert run("list").err.startswith(f"{archive}: ")
    monkeypatch.chdir("/")
    assert "kept.bca: the archive last written" in run("report").err


def test_choosing_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one named, else the only one in the current folder, else the one last written while it is there."""
    here, last = tmp_path / "here", tmp_path / "last.bca"
    (here / "only.bca").mkdir(parents=True)
    (here / "file.bca").write_text("no folder")
    last.mkdir()
    monkeypatch.chdir(here)
    assert choose_archive(Path("named.bca")) == Path("named.bca")
    assert choose_archive(None) == Path("only.bca")
    remember_archive(last)
    assert choose_archive(None) == Path("only.bca")
    (here / "only.bca").rename(here / "any.name")
    assert choose_archive(None) == last
    last.rmdir()
    (here / "only.bca").mkdir()
    (here / "second.bca").mkdir()
    remember_archive(here / "second.bca")
    assert choose_archive(None) == here / "second.bca"
    last.mkdir()
    remember_archive(last)
    with pytest.raises(ArchiveNotFoundError, match="2 are in the current folder"):
        choose_archive(None)


def test_an_empty_record_is_no_archive(tmp_path: Path, state_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that was cut short does not make the current folder an archive."""
    monkeypatch.chdir(tmp_path)
    remember_archive(tmp_path)
    for record in (path for path in state_folder.rglob("*") if path.is_file()):
        record.write_bytes(b"")
    with pytest.raises(ArchiveNotFoundError, match="none is in the current folder"):
        choose_archive(None)


def test_a_state_folder_that_cannot_be_written_is_no_failure(
    compress: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not being able to remember the archive does not fail the run that wrote it."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert compress(photos, "--no-measure").code == 0
