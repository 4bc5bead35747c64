"""The files of a job: what is planned is read again, its numbers are nobody else's, and no gap while it is open."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, ArchiveWriter, jobs, verify
from batchcomp.archive.lock import locked
from batchcomp.archive.part_writer import PartWriter, is_stored, missing_parts
from batchcomp.archive.promised import last_promised, without_promised
from batchcomp.archive.segments import free_range, segment_name, segment_numbers
from batchcomp.errors import ArchiveError, UsageError

from .samples import fixed_now, sample_row, three_pictures, write_archive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an archive of one segment."""
    three_pictures(tmp_path / "x.bca")
    return tmp_path / "x.bca"


def open_job(folder: Path, parts: int = 3, name: str = "a-job") -> jobs.OpenJob:
    """Plan a job whose parts say their own numbers."""
    lines = jobs.part_lines(range(1, parts + 1))
    with locked(folder, 0):
        last = max(segment_numbers(folder)[-1], last_promised(folder))
        job = jobs.OpenJob(
            id=name,
            created=fixed_now(),
            after=last,
            base=last,
            first=free_range(folder, last, parts),
            files=(1,) * parts,
            spans=jobs.spans_of(lines),
            settings={"quality": 55},
        )
        jobs.write_job(folder, job, lines)
    return job


def write_part(folder: Path, job: jobs.OpenJob, part: int) -> bool:
    with PartWriter(folder, job, part) as writer:
        writer.add(sample_row(f"part {part}.png"), b"payload of %d" % part)
        return writer.commit()


def test_a_job_is_read_as_it_was_written(folder: Path) -> None:
    """Numbers follow the last segment; every part gives back its own value."""
    job = open_job(folder)
    assert jobs.find_job(folder, "a-job") == job
    assert list(job.numbers) == [2, 3, 4]
    assert [jobs.read_part(folder, job, part) for part in (3, 1, 2)] == [3, 1, 2]
    assert jobs.open_ids(folder) == ["a-job"]


def test_numbers_of_an_open_job_are_no_gap(folder: Path) -> None:
    """A reader, `verify` and a later writer pass over them; once the job is gone they are damage."""
    job = open_job(folder)
    assert write_part(folder, job, 2)
    write_archive(folder, [(sample_row("later.png"), b"later")])
    assert segment_numbers(folder) == [1, 3, 5]
    assert verify(folder).ok
    assert not ArchiveReader.open(folder).damage
    with locked(folder, 0):
        jobs.close_job(folder, job)
    assert [damage.segment for damage in verify(folder).damage] == ["000002.zip", "000004.zip"]
    assert not (folder / jobs.JOBS_NAME).exists()


def test_two_jobs_have_numbers_of_their_own(folder: Path) -> None:
    """The second planner takes what follows the first one's, and each gap is looked at against both."""
    first, second = open_job(folder, 2, "one"), open_job(folder, 2, "two")
    assert (list(first.numbers), list(second.numbers)) == ([2, 3], [4, 5])
    assert without_promised(folder, [(2, 7)]) == [(6, 7)]
    assert without_promised(folder, [(1, 2), (5, 5)]) == [(1, 1)]


def test_numbers_avoid_names_that_others_have(folder: Path) -> None:
    """A foreign file in the way moves the whole range, and nothing counts as missing at the end."""
    (folder / "000003.zip").mkdir()
    job = open_job(folder, 2)
    assert list(job.numbers) == [4, 5]
    for part in (1, 2):
        assert write_part(folder, job, part)
    with locked(folder, 0):
        jobs.close_job(folder, job)
    assert verify(folder).ok


@pytest.mark.parametrize("name", ["../x", "", "A", "x" * 65, "a/b", "-a", "a.b"])
def test_a_name_that_is_none_is_refused(folder: Path, name: str) -> None:
    """What was typed never leads out of the folder."""
    with pytest.raises(UsageError, match="expected a name"):
        jobs.find_job(folder, name)


def test_a_job_that_is_not_open_is_told_from_one_that_never_was(folder: Path) -> None:
    """Both are usage errors that name those that are open."""
    job = open_job(folder, 1)
    write_part(folder, job, 1)
    with pytest.raises(UsageError, match=r"other: there is no such job; open are: a-job"):
        jobs.find_job(folder, "other")
    with locked(folder, 0):
        jobs.close_job(folder, job)
    with pytest.raises(UsageError, match=r"a-job: is closed; open are: none"):
        jobs.find_job(folder, "a-job")


def test_every_flipped_byte_of_a_job_is_found(folder: Path) -> None:
    """A damaged job is one clear error, its numbers a gap; a damaged part is that part's error."""
    job = open_job(folder, 1)
    head, parts = folder / "jobs" / "a-job.json", folder / "jobs" / "a-job.jsonl"
    for path in (head, parts):
        sound = path.read_bytes()
        for at in range(0, len(sound) - 1, 7):
            path.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
            with pytest.raises(ArchiveError, match=r"a-job\.json.*cannot be used"):
                jobs.read_part(folder, jobs.find_job(folder, "a-job"), 1)
        path.write_bytes(sound)
    assert jobs.read_part(folder, job, 1) == 1


def test_a_planner_that_died_leaves_nothing_that_counts(folder: Path) -> None:
    """A list of parts without its job is deleted by the next planner."""
    (folder / "jobs").mkdir()
    (folder / "jobs" / "dead.jsonl").write_bytes(b"x")
    open_job(folder)
    assert sorted(path.name for path in (folder / "jobs").iterdir()) == ["a-job.json", "a-job.jsonl"]


def test_a_job_makes_a_folder_an_archive(tmp_path: Path) -> None:
    """A folder with an open job alone is not taken for somebody's files; with a stranger's jobs folder it is."""
    folder = tmp_path / "new.bca"
    folder.mkdir()
    lines = jobs.part_lines([1])
    job = jobs.OpenJob(
        id="j", created=fixed_now(), after=0, base=0, first=1, files=(1,), spans=jobs.spans_of(lines), settings={}
    )
    jobs.write_job(folder, job, lines)
    write_archive(folder, [(sample_row(), b"data")])
    assert segment_numbers(folder) == [2]
    assert verify(folder).ok
    (tmp_path / "other" / "jobs").mkdir(parents=True)
    (tmp_path / "other" / "jobs" / "My job.txt").write_text("mine")
    with pytest.raises(ArchiveError, match="holds files but no archive"), ArchiveWriter(tmp_path / "other"):
        pass


def test_missing_parts_are_those_without_a_segment_of_theirs(folder: Path) -> None:
    """A segment of the number that says nothing of the job is not its part, but nothing can be put there either."""
    job = open_job(folder)
    write_part(folder, job, 3)
    assert missing_parts(folder, job) == [1, 2]
    assert is_stored(folder, job, 3)
    (folder / segment_name(job.number(1))).write_bytes((folder / "000001.zip").read_bytes())
    assert not is_stored(folder, job, 1)
