"""`compress` in parts: what each of its commands says, writes and ends with."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, verify
from batchcomp.archive.lock import locked
from tests.cli import samples
from tests.cli.conftest import Run


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "x.bca"


@pytest.fixture
def job(compress: Run, photos: Path, archive: Path) -> str:
    """Return a job of three parts with a photo each."""
    result = compress(photos, "-o", archive, "--plan", "--part-files", 1)
    assert result.code == 0
    return result.out.strip()


def paths(archive: Path) -> list[str]:
    return sorted(row.path for row in ArchiveReader.open(archive).rows())


def test_plan_shards_finish(run: Run, photos: Path, archive: Path, job: str) -> None:
    """Stdout of --plan is the job's name alone; shards may be done in any order; closed, the archive is as any."""
    for shard, done in (("2/2", 1), ("1/2", 2)):
        result = run("compress", "-o", archive, "--job", job, "--shard", shard, "-j", 1)
        assert result.code == 0
        assert f"{done} stored" in result.err
        assert f"--finish {job} closes it" in result.err
        assert run("verify", archive).code == run("report", archive).code == run("list", archive).code == 0
    assert paths(archive) == ["a.png", "b.jpg", "sub/c.png"]
    assert run("compress", "-o", archive, "--finish", job).code == 0
    again = run("compress", "-o", archive, "--finish", job)
    assert (again.code, "is closed already" in again.err) == (0, True)
    assert verify(archive).ok
    result = run("compress", photos, "-o", archive, "-j", 1)
    assert "0 stored, 3 unchanged" in result.err


def test_a_job_goes_on_and_is_closed_in_one_command(run: Run, archive: Path, job: str) -> None:
    """--job without a shard does what is left."""
    run("compress", "-o", archive, "--job", job, "--shard", "3/3", "-j", 1)
    result = run("compress", "-o", archive, "--job", job, "-j", 1, "--json")
    assert (result.code, result.json[-1]["done"], result.json[-1]["unchanged"]) == (0, 2, 1)
    assert not (archive / "jobs").exists()
    assert len(paths(archive)) == 3


def test_what_fails_in_a_shard_is_remembered(run: Run, compress: Run, photos: Path, archive: Path) -> None:
    """--finish gathers it: the next plan leaves it alone, and once it is mended it is taken and forgotten."""
    (photos / "broken.png").write_bytes((photos / "a.png").read_bytes()[:300])
    job = compress(photos, "-o", archive, "--plan", "--part-files", 1).out.strip()
    codes = [run("compress", "-o", archive, "--job", job, "--shard", f"{shard}/2", "-j", 1).code for shard in (1, 2)]
    assert sorted(codes) == [0, 3]
    assert run("compress", "-o", archive, "--finish", job).code == 0
    assert "broken.png" in run("list", archive, "--outside").out
    again = compress(photos, "-o", archive, "--plan")
    assert (again.code, again.out) == (0, "")
    samples.save(photos / "broken.png", samples.image(30, 31, seed=5))
    job = compress(photos, "-o", archive, "--plan").out.strip()
    run("compress", "-o", archive, "--job", job, "-j", 1)
    assert "broken.png" in paths(archive)
    assert "broken.png" not in run("list", archive, "--outside").out


def test_finish_names_what_was_abandoned(run: Run, archive: Path, job: str) -> None:
    """Each part that was not done is a failure; late shards are told that the job is closed."""
    run("compress", "-o", archive, "--job", job, "--shard", "1/3", "-j", 1)
    result = run("compress", "-o", archive, "--finish", job)
    assert result.code == 3
    assert "part 2 of job" in result.err
    assert "run `compress` again to take them" in result.err
    late = run("compress", "-o", archive, "--job", job, "--shard", "2/3", "-j", 1)
    assert (late.code, "is closed; open are: none" in late.err) == (2, True)
    assert run("verify", archive).code == 0


def test_plan_as_json(compress: Run, photos: Path, archive: Path) -> None:
    """Programs get a line of the job before the summary; where there is nothing to do there is none."""
    result = compress(photos, "-o", archive, "--plan", "--json")
    job, summary = result.json
    assert (job["type"], job["parts"], job["files"], job["segments"]) == ("job", 1, 3, [1, 1])
    assert summary["type"] == "summary"
    assert compress(photos, "-o", photos.with_name("other.bca")).code == 0
    nothing = compress(photos, "-o", photos.with_name("other.bca"), "--plan", "--json")
    assert [line["type"] for line in nothing.json if line["type"] != "passed"] == ["summary"]
    assert "nothing to do" in nothing.err


def test_what_is_no_picture_is_left_out_of_a_plan(compress: Run, tmp_path: Path, archive: Path) -> None:
    """A folder without pictures makes no job, night after night."""
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "readme.txt").write_text("no picture at all")
    result = compress(tmp_path / "texts", "-o", archive, "--plan")
    assert (result.code, result.out) == (0, "")
    assert not (archive / "jobs").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["photos", "--plan", "--finish", "x"], "--plan and --finish: choose one"),
        (["photos", "--job", "x", "-o", "x.bca"], "the job knows its PATHs"),
        (["--job", "x"], "name the archive with -o"),
        (["--job", "x", "-o", "x.bca", "--quality", "3"], "--quality: the job says that itself"),
        (["photos", "--shard", "1/2"], "of which job?"),
        (["photos", "--part-files", "3"], "no parts without --plan"),
        (["photos", "--engine", "spark"], "expected one of local, dask"),
        (["photos", "--engine", "dask"], "name its scheduler"),
        (["photos", "--scheduler", "tcp://h:1"], "the local engine has none"),
        (["--job", "../x", "-o", "x.bca"], "expected a name such as"),
        (["--job", "nothere", "-o", "x.bca"], "there is no such job"),
        ([], "no PATH"),
    ],
)
def test_options_that_contradict_each_other(run: Run, photos: Path, options: list[str], reason: str) -> None:
    """Usage errors, before anything is written."""
    before = samples.tree(photos.parent)
    result = run("compress", *options)
    assert (result.code, reason in result.err) == (2, True), result.err
    assert samples.tree(photos.parent) == before


@pytest.mark.parametrize("shard", ["0/3", "4/3", "3", "a/b", "-1/3", "1/0"])
def test_a_shard_that_is_none(run: Run, archive: Path, job: str, shard: str) -> None:
    """It is named, with what was expected."""
    result = run("compress", "-o", archive, "--job", job, f"--shard={shard}")
    assert (result.code, "expected 1/16 to 16/16" in result.err) == (2, True)


def test_an_open_job_is_told_and_keeps_prune_away(run: Run, compress: Run, photos: Path, archive: Path) -> None:
    """Another run says that the job is open and takes later numbers; prune refuses until it is closed."""
    compress(photos, "-o", archive)
    samples.save(photos / "a.png", samples.image(50, 50, seed=7))
    job = compress(photos, "-o", archive, "--plan").out.strip()
    result = compress(photos, "-o", archive)
    assert f"job {job} is open, 1 of 1 part are missing; what it takes may be stored twice" in result.err
    assert (archive / "000003.zip").exists()
    assert f"job {job} is open, 1 of 1 part are missing; their numbers are no damage" in run("verify", archive).err
    assert f"job {job} is open" in run("prune", archive, "--dry-run").err
    refused = run("prune", archive)
    assert (refused.code, f"job {job} is open" in refused.err) == (2, True)
    run("compress", "-o", archive, "--finish", job)
    assert run("prune", archive).code == 0
    assert run("verify", archive).code == 0


def test_before_its_first_part_a_job_is_told_from_no_archive(run: Run, archive: Path, job: str) -> None:
    """A reader says that there is nothing yet, and which job will fill it; a planner waits for the lock."""
    result = run("list", archive)
    assert (result.code, f"job {job} is open, and none of its parts is there yet" in result.err) == (10, True)
    with locked(archive, 0):
        busy = run("compress", "-o", archive, "--finish", job)
    assert (busy.code, "is writing to this archive" in busy.err) == (11, True)


def test_a_repair_leaves_the_numbers_of_an_open_job_alone(run: Run, archive: Path, job: str) -> None:
    """They are no missing segments, and the job goes on afterwards."""
    run("compress", "-o", archive, "--job", job, "--shard", "2/3", "-j", 1)
    data = bytearray((archive / "000002.zip").read_bytes())
    data[-30] ^= 255
    (archive / "000002.zip").write_bytes(data)
    run("repair", archive)
    assert not (archive / "000001.zip").exists()
    result = run("compress", "-o", archive, "--job", job, "-j", 1)
    assert result.code == 0, result.err
    assert len(paths(archive)) == 3
    assert run("verify", archive).code == 0
