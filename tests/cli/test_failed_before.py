"""A failure is told once, not every night; what changed or can be read now is tried again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli import samples
from tests.cli.conftest import Result, Run


@pytest.fixture
def bad(photos: Path) -> Path:
    """Return a file among the photos that is no sound picture."""
    path = photos / "bad.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0 cut off")
    return path


@pytest.fixture
def night(compress: Run, photos: Path) -> Run:
    """Compress as cron does."""
    return lambda *more: compress(photos, "--no-measure", "--quiet", *more)


def outside(run: Run, command: str = "report") -> list[dict[str, Any]]:
    return [line for line in run(command, "photos.bca", "--outside", "--json").json if line["type"] == "outside"]


def silent(result: Result) -> bool:
    return (result.code, result.out, result.err) == (0, "", "")


def test_the_second_night_is_silent(compress: Run, night: Run, bad: Path, photos: Path) -> None:
    """Exit 3 and a line at first, then nothing; without --quiet one line says where to look."""
    first = night()
    assert first.code == 3
    assert "bad.jpg" in first.err
    assert silent(night())
    loud = compress(photos, "--no-measure")
    assert loud.code == 0
    assert loud.err.splitlines()[0] == (
        "1 file failed before and did not change; `batchcomp report photos.bca --outside` lists it, "
        "--retry tries it again"
    ).replace("photos.bca", str(photos.with_name("photos.bca")))
    summary = night("--json").json[-1]
    assert (summary["exit_code"], summary["failed"], summary["failed_before"], summary["unchanged"]) == (0, 0, 1, 3)
    assert bad.exists()


@pytest.mark.parametrize("command", ["report", "list", "verify"])
def test_what_stays_outside_is_listed(run: Run, night: Run, bad: Path, command: str) -> None:
    """With the reason, as text and as JSON lines; the exit code says nothing of it."""
    assert run(command, "photos.bca", "--outside").code == 10
    night()
    result = run(command, "photos.bca", "--outside")
    assert result.code == 0
    assert result.out.startswith("bad.jpg: ")
    (line,) = outside(run, command)
    assert (line["path"], line["source"], line["source_bytes"]) == ("bad.jpg", str(bad), bad.stat().st_size)
    assert "bad.jpg" in line["reason"]


def test_nothing_stays_outside(run: Run, night: Run, photos: Path) -> None:
    """Then that is said."""
    assert night().code == 0
    result = run("report", "photos.bca", "--outside")
    assert (result.code, result.out) == (0, "")
    assert "no file is known to stay outside" in result.err
    assert not (photos.with_name("photos.bca") / "failures.jsonl").exists()


def test_a_changed_file_is_tried_again(run: Run, night: Run, bad: Path) -> None:
    """It is stored, and forgotten among the failures; or fails anew, which is news."""
    night()
    bad.write_bytes(b"\xff\xd8\xff\xe0 cut off elsewhere")
    assert night().code == 3
    assert silent(night())
    samples.save(bad)
    assert silent(night())
    assert outside(run) == []
    assert "bad.jpg" in run("list", "photos.bca").out


def test_retry_tries_all_again(night: Run, bad: Path) -> None:
    """What fails again is named again, this time only."""
    night()
    again = night("--retry")
    assert (again.code, bad.name in again.err) == (3, True)
    assert silent(night())


@pytest.mark.parametrize("options", [("--max-pixels", "400"), ("--verbatim", "*.txt")])
def test_other_limits_try_again(night: Run, bad: Path, options: tuple[str, ...]) -> None:
    """A file may have failed for them; one that still fails in the same way is no news."""
    night()
    assert silent(night(*options))
    assert bad.exists()


def test_verbatim_takes_what_failed(run: Run, night: Run, bad: Path) -> None:
    """No --retry is needed for that."""
    night()
    assert silent(night("--verbatim", bad.name))
    assert (outside(run), "bad.jpg" in run("list", "photos.bca").out) == ([], True)


def test_a_deleted_or_excluded_file_is_forgotten(run: Run, night: Run, bad: Path) -> None:
    """What a run does not meet below its paths stays outside no more."""
    night()
    assert silent(night("--exclude", bad.name))
    assert outside(run) == []
    assert night().code == 3
    bad.unlink()
    assert silent(night())
    assert outside(run) == []


def test_two_sources_of_one_archive(run: Run, compress: Run, tmp_path: Path) -> None:
    """Each remembers its own failures, under the same name too."""
    for name in ("one", "two"):
        samples.save(tmp_path / name / f"{name}.png", samples.image(seed=len(name)))
        (tmp_path / name / "bad.png").write_bytes(f"bad {name}".encode())

    def night(name: str) -> Result:
        return compress(tmp_path / name, "-o", "photos.bca", "--quiet", "--no-measure")

    assert [night(name).code for name in ("one", "two", "one", "two")] == [3, 3, 0, 0]
    assert {line["source"] for line in outside(run)} == {str(tmp_path / name / "bad.png") for name in ("one", "two")}


def test_a_folder_of_failures_only(run: Run, night: Run, photos: Path) -> None:
    """Where nothing could be stored at all, that too is told once, and pictures can be added later."""
    for path in [*photos.glob("*.*"), photos / "sub" / "c.png"]:
        path.unlink()
    (photos / "bad.png").write_bytes(b"bad")
    assert night().code == 3
    assert silent(night())
    assert [line["path"] for line in outside(run)] == ["bad.png"]
    samples.save(photos / "good.png")
    assert silent(night())
    assert run("list", "photos.bca").out == "good.png\n"


def test_no_archive_of_nothing(night: Run, photos: Path) -> None:
    """A run that stored nothing and met no failure leaves no folder."""
    for path in [*photos.glob("*.*"), photos / "sub" / "c.png"]:
        path.unlink()
    assert night().code == 0
    assert not photos.with_name("photos.bca").exists()


def test_dry_runs_remember_nothing(compress: Run, night: Run, bad: Path, photos: Path) -> None:
    """They plan a bad file until a run has met it, and then leave it out."""
    for _ in range(2):
        assert "bad.jpg: truncated JPEG file" in compress(photos, "--dry-run").err
    assert night().code == 3
    dry = compress(photos, "--dry-run", "--json").json[-1]
    assert (dry["planned"], dry["failed_before"], dry["exit_code"]) == (0, 1, 0)
    assert "bad.jpg: truncated JPEG file" in compress(photos, "--dry-run", "--retry").err
    assert bad.exists()


def test_an_unreadable_file_is_tried_every_night(
    run: Run, night: Run, bad: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told once, and taken as soon as it can be read, though neither size nor time changed."""
    samples.save(bad)
    real = os.open

    def refuses(path: Any, *rest: Any, **options: Any) -> int:
        if str(path) == str(bad):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr("os.open", refuses)
        assert night().code == 3
        assert silent(night())
        assert "Permission denied" in outside(run)[0]["reason"]
    assert silent(night())
    assert "bad.jpg" in run("list", "photos.bca").out
    assert photos.exists()


def test_an_unreadable_folder_is_told_every_night(
    run: Run, night: Run, photos: Path, lock_sub: Callable[[], None]
) -> None:
    """Nobody knows what comes and goes in it, so that silence would lose pictures."""
    lock_sub()
    for _ in range(2):
        result = night()
        assert result.code == 3
        assert "folder cannot be read" in result.err
    assert outside(run) == []
    assert silent(night("--exclude", "sub"))
    assert photos.exists()


def test_a_file_that_vanishes(run: Run, night: Run, bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is gone when it is read is told that night, and not remembered."""
    from batchcomp.pipeline.loading import Loader  # noqa: PLC0415 - needs torch

    load = Loader.load

    def vanishes(self: Loader, item: Any) -> Any:
        if getattr(item, "name", "") == bad.name:
            bad.unlink(missing_ok=True)
        return load(self, item)

    monkeypatch.setattr(Loader, "load", vanishes)
    assert night().code == 3
    assert outside(run) == []
    assert silent(night())


def test_damage_is_told_every_night(night: Run, bad: Path, photos: Path) -> None:
    """It is the archive's, not the file's."""
    night()
    path = photos.with_name("photos.bca") / "000001.zip"
    path.write_bytes(path.read_bytes()[:-5])
    assert [night().code for _ in range(2)] == [4, 4]
    assert bad.exists()


def test_a_damaged_memory_is_harmless(night: Run, bad: Path, photos: Path) -> None:
    """The failure is told again, once, and noted anew."""
    night()
    (photos.with_name("photos.bca") / "failures.jsonl").write_bytes(b"\0" * 100)
    assert night().code == 3
    assert silent(night())
    assert bad.exists()
