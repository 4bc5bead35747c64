"""Earlier versions: listed, restored, compared."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import batchcomp
from batchcomp.archive import prune
from tests.cli import samples
from tests.cli.conftest import Run

SIZES = (40, 50, 60)  # heights of the versions of a.png


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times without a zone are this machine's: here, UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def archive(compress: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an archive of three days: a.png changes daily, copy.png shares its first version, late.png comes last."""
    photos = tmp_path / "photos"
    samples.save(photos / "b.png", samples.image(30, 30, seed=5))
    for number, height in enumerate(SIZES):
        if number == 1:
            (photos / "copy.png").write_bytes((photos / "a.png").read_bytes())
        if number == 2:
            samples.save(photos / "late.png", samples.image(20, 30, seed=7))
        samples.save(photos / "a.png", samples.image(height, 48, seed=number))
        set_clock(monkeypatch, datetime(2026, 11, 1, 12, tzinfo=UTC) + timedelta(days=number))
        assert compress(photos, "--no-measure").code == 0
    return tmp_path / "photos.bca"


def set_clock(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    from batchcomp.archive.writer import ArchiveWriter  # noqa: PLC0415

    defaults = {**(ArchiveWriter.__init__.__kwdefaults__ or {}), "now": lambda: moment}
    monkeypatch.setattr(ArchiveWriter.__init__, "__kwdefaults__", defaults)


def height(path: str) -> int:
    found: int = samples.pixels_of(Path(path)).shape[0]
    return found


def test_list_versions(run: Run, archive: Path) -> None:
    """Number, time, size, ZIP file, kind, path; one line each, the oldest first."""
    lines = [line.split(maxsplit=5) for line in run("list", archive, "--versions").out.splitlines()]
    found = [(path, int(number), stamp, place) for number, stamp, _, place, _, path in lines]
    assert [one for one in found if one[0] == "a.png"] == [
        ("a.png", 1, "2026-11-01T12:00:00Z", "000001.zip"),
        ("a.png", 2, "2026-11-02T12:00:00Z", "000002.zip"),
        ("a.png", 3, "2026-11-03T12:00:00Z", "000003.zip"),
    ]
    assert len(found) == 6
    shared = [line for line in run("list", archive, "--versions", "--json").json if line.get("path") == "copy.png"]
    assert [(line["version"], line["shared"], line["segment"]) for line in shared] == [(1, True, 2)]


@pytest.mark.parametrize(("version", "expected"), [(1, 40), (2, 50), (3, 60), (-1, 60), (-2, 50), (-3, 40)])
def test_decode_a_version(decode: Run, archive: Path, version: int, expected: int) -> None:
    """1 is the oldest, -1 the newest."""
    assert decode(archive, "a.png", "--version", version, "-o", "out").code == 0
    assert height("out/a.png") == expected


def test_a_version_of_all(decode: Run, archive: Path) -> None:
    """Pictures that have no such version are left out; where none has it, that is an error."""
    assert decode(archive, "--version", 2, "-o", "out").code == 0
    assert sorted(samples.tree(Path("out"))) == ["a.png"]
    result = decode(archive, "--version", 4, "-o", "out")
    assert result.code == 2
    assert "no picture has a version 4" in result.err
    assert decode(archive, "--version", 0, "-o", "out").code == 2
    assert decode(archive, "--version", 1, "--at", "2026-11-01", "-o", "out").code == 2


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-01", {"a.png": 40, "b.png": 30}),
        ("2026-11-02T12:00:00Z", {"a.png": 50, "b.png": 30, "copy.png": 40}),
        ("2026-11-02T11:59:59Z", {"a.png": 40, "b.png": 30}),
        ("2026-11-02T13:00+02:00", {"a.png": 40, "b.png": 30}),
        ("2026-11-02T12:00", {"a.png": 50, "b.png": 30, "copy.png": 40}),
        ("20261102", {"a.png": 50, "b.png": 30, "copy.png": 40}),
        ("2030-01-01", {"a.png": 60, "b.png": 30, "copy.png": 40, "late.png": 20}),
    ],
)
def test_decode_as_it_was(run: Run, decode: Run, archive: Path, at: str, expected: dict[str, int]) -> None:
    """A date is the end of that day; what came later is not there; shared content is."""
    assert decode(archive, "--at", at, "-o", "out").code == 0
    assert {path.name: height(str(path)) for path in Path("out").iterdir()} == expected
    assert sorted(run("list", archive, "--at", at).out.split()) == sorted(expected)


@pytest.mark.parametrize("at", ["yesterday", "2026-13-01", "2026-11-01T25:00", "99999-01-01"])
def test_what_is_no_date(decode: Run, archive: Path, at: str) -> None:
    """One line says what is expected."""
    result = decode(archive, "--at", at, "-o", "out")
    assert result.code == 2
    assert "expected a date such as 2026-11-01" in result.err


def test_before_there_was_anything(decode: Run, archive: Path) -> None:
    """That is said, and nothing is written."""
    result = decode(archive, "--at", "2026-10-31", "-o", "out")
    assert result.code == 2
    assert "held nothing at 2026-10-31T23:59:59" in result.err
    assert not Path("out").exists()


def test_versions_across_prune(run: Run, decode: Run, archive: Path) -> None:
    """What is left is numbered anew, and keeps its time; content that a kept row shares is no version."""
    prune(archive, keep_last=2)
    lines = [line for line in run("list", archive, "--versions", "--json").json if line.get("path") == "a.png"]
    assert [(line["version"], line["archived"]) for line in lines] == [
        (1, "2026-11-02T12:00:00Z"),
        (2, "2026-11-03T12:00:00Z"),
    ]
    assert decode(archive, "--at", "2026-11-01", "-o", "out").code == 0
    assert sorted(samples.tree(Path("out"))) == ["b.png"]
    assert decode(archive, "copy.png", "-o", "out").code == 0


def test_a_payload_has_no_versions(decode: Run, archive: Path) -> None:
    """The options are for archives."""
    assert decode(archive / "000001.zip", "--version", 1).code == 2


def test_history_of_one_picture(run: Run, archive: Path) -> None:
    """As a table and as JSON lines."""
    table = run("report", archive, "--history", "a.png").out
    assert all(f"2026-11-0{day}T12:00:00Z" in table for day in (1, 2, 3))
    lines = run("report", archive, "--history", "a.png", "--json").json
    assert [line["height"] for line in lines[:-1]] == list(SIZES)
    assert lines[-1]["versions"] == 3
    missing = run("report", archive, "--history", "none.png")
    assert (missing.code, "has no picture 'none.png'" in missing.err) == (1, True)
    assert run("report", archive, "--history", "a.png", "--csv").code == 2


def test_the_library_gives_versions(archive: Path, tiny_model: Path) -> None:
    """Oldest first, each a picture that can be restored."""
    with batchcomp.Archive.open(archive, model=tiny_model) as opened:
        found = opened.versions("a.png")
        assert [(one.number, one.archived.day, one.pixels().shape[0]) for one in found] == [
            (1, 1, 40),
            (2, 2, 50),
            (3, 3, 60),
        ]
        assert "2 of 'a.png'" in repr(found[1])
        with pytest.raises(batchcomp.ArchiveError, match=r"no picture 'none.png'"):
            opened.versions("none.png")


def test_diff_of_moments(run: Run, archive: Path) -> None:
    """New, changed and the same; one moment is held against now."""
    result = run("diff", archive, "--at", "2026-11-01", "--at", "2026-11-03")
    assert result.code == 0
    *found, summary_line = result.out.splitlines()
    assert sorted(found) == ["changed: a.png", "new: copy.png", "new: late.png"]
    assert summary_line == f"{archive}: same 1, new 2, changed 1, missing 0, moved 0"
    summary = run("diff", archive, "--at", "2026-11-02", "--json").json[-1]
    assert {name: summary[name] for name in ("same", "new", "changed", "missing", "moved")} == {
        "same": 2,
        "new": 1,
        "changed": 1,
        "missing": 0,
        "moved": 0,
    }
    assert run("diff", archive).code == 2
    assert run("diff", archive, *["--at", "2026-11-01"] * 3).code == 2


@pytest.mark.parametrize(("at", "heights"), [("2026-11-01", [40, 30]), ("2026-11-02", [50, 30, 40])])
def test_report_and_unpack_of_a_moment(run: Run, archive: Path, at: str, heights: list[int]) -> None:
    """Both show and write what the archive held then."""
    shown = [row for row in run("report", archive, "--at", at, "--json").json if row["type"] == "picture"]
    assert sorted(row["height"] for row in shown) == sorted(heights)
    assert run("unpack", archive, "--at", at, "-o", "out").code == 0
    assert len(list(Path("out").iterdir())) == len(heights)
    assert run("report", archive, "--at", at, "--history", "a.png").code == 2
    assert run("report", archive, "--at", at, "--html", "page.html").code == 2
    assert run("report", archive, "--at", "2026-10-01").code == 2
    assert run("unpack", archive, "--at", at, "--version", 1).code == 2


def test_unpack_a_version(run: Run, archive: Path) -> None:
    """Of each picture that has it."""
    assert run("unpack", archive, "--version", 2, "-o", "out").code == 0
    assert [path.name.partition(".")[0] for path in Path("out").iterdir()] == ["a"]
