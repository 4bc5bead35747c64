"""One part of a job: the same bytes whoever writes it, once, and no clean-up harms a writer that lives."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, durable, prune, verify
from batchcomp.archive.claims import claim_of
from batchcomp.archive.jobs import OpenJob, close_job
from batchcomp.archive.lock import clean_up, locked
from batchcomp.archive.manifest import PartOf
from batchcomp.archive.part_writer import PartTakenError, PartWriter
from batchcomp.archive.store import store_of
from batchcomp.errors import ArchiveError, PictureError

from .samples import fixed_now, sample_row, three_pictures
from .test_jobs import open_job, write_part

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    three_pictures(tmp_path / "x.bca")
    return tmp_path / "x.bca"


@pytest.fixture
def job(folder: Path) -> OpenJob:
    return open_job(folder)


def test_a_part_written_twice_is_there_once(folder: Path, job: OpenJob) -> None:
    """The second writer finds the first one's, byte for byte its own, and leaves it alone."""
    assert write_part(folder, job, 2) is True
    first = (folder / "000003.zip").read_bytes()
    assert write_part(folder, job, 2) is False
    assert (folder / "000003.zip").read_bytes() == first
    (folder / "000003.zip").unlink()
    assert write_part(folder, job, 2) is True
    assert (folder / "000003.zip").read_bytes() == first
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "000001.zip", "000003.zip", "jobs"]


def test_of_many_writers_at_once_one_wins(folder: Path, job: OpenJob) -> None:
    """They begin together; each ends well, and exactly one has stored it."""
    start, won = threading.Barrier(6), list[bool]()

    def write() -> None:
        with PartWriter(folder, job, 1) as writer:
            writer.add(sample_row("a part.png"), b"payload")
            start.wait()
            won.append(writer.commit())

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 5 + [True]
    assert verify(folder).ok
    assert not list(folder.glob(".*.tmp"))


def test_other_content_under_its_number_is_a_clear_failure(folder: Path, job: OpenJob) -> None:
    """A part that was stored otherwise, closed, or taken by a stranger is never passed off as its own."""
    write_part(folder, job, 1)
    with PartWriter(folder, job, 1) as writer:
        writer.add(sample_row("another.png"), b"payload")
        with pytest.raises(PartTakenError, match=r"000002.zip: part 1 of job a-job .* 1 of 1 pictures"):
            writer.commit()
    (folder / "000003.zip").write_bytes((folder / "000001.zip").read_bytes())
    with pytest.raises(PartTakenError, match=r"000003.zip: is not of job a-job"):
        write_part(folder, job, 2)
    assert not list(folder.glob(".*.tmp"))


def test_nothing_is_left_without_a_commit(folder: Path, job: OpenJob) -> None:
    """An exception, or a name that is refused, leaves no segment and no temporary file."""
    with pytest.raises(PictureError, match="cannot be archived"), PartWriter(folder, job, 1) as writer:  # noqa: PT012
        writer.add(sample_row("good.png"), b"data")
        writer.add(sample_row("../bad.png"), b"data")
    assert [path.name for path in folder.glob("*.zip")] == ["000001.zip"]
    assert not list(folder.glob(".*.tmp"))


def test_the_header_names_the_part_for_ever(folder: Path, job: OpenJob) -> None:
    """`prune` writes the segment anew with its job, part and time, so that a late run still finds it."""
    write_part(folder, job, 1)
    with locked(folder, 0):
        close_job(folder, job)
    prune(folder, gone=lambda path: path == "part 1.png", now=lambda: fixed_now().replace(year=2030))
    claim = claim_of(folder, "000002.zip")
    assert claim is not None
    assert (claim.part_of, claim.created) == (PartOf(job="a-job", part=1), fixed_now())
    assert "part 1.png" not in {row.path for row in ArchiveReader.open(folder).rows()}


KILLED = """
import sys
from pathlib import Path
from batchcomp.archive.jobs import find_job
from batchcomp.archive.part_writer import PartWriter
from tests.archive.samples import sample_row
folder = Path(sys.argv[1])
with PartWriter(folder, find_job(folder, "a-job"), 1) as writer:
    writer.add(sample_row("part 1.png"), b"payload of 1")
    print("written", flush=True)
    sys.stdin.read()
"""


def test_clean_up_takes_a_dead_writers_file_and_no_live_ones(folder: Path, job: OpenJob) -> None:
    """While its process lives the file stays; killed, it blocks nobody, and the next holder of the lock deletes it."""
    command = [sys.executable, "-c", KILLED, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=ROOT, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "written\n"
        clean_up(store_of(folder))
        assert len(list(folder.glob(".*.tmp"))) == 1
        process.send_signal(signal.SIGKILL)
    assert len(list(folder.glob(".*.tmp"))) == 1
    assert write_part(folder, job, 1) is True
    clean_up(store_of(folder))
    assert not list(folder.glob(".*.tmp"))


def test_another_machines_file_stays_until_its_job_is_closed(folder: Path, job: OpenJob) -> None:
    """Whether its owner lives cannot be told; once the number is taken it does not matter."""
    temp = folder / ".000002.zip.a-job.00000000-1-ab.tmp"
    temp.write_bytes(b"x")
    clean_up(store_of(folder))
    assert temp.exists()
    with locked(folder, 0):
        close_job(folder, job)
        clean_up(store_of(folder))
    assert not temp.exists()


def test_a_part_survives_a_failure_of_every_step(folder: Path, job: OpenJob) -> None:
    """Whichever step of the disk fails, there is one clear error; the next try ends the same as one undisturbed."""
    steps = list[durable.Step]()
    with durable.watched(steps.append):
        write_part(folder, job, 1)
    whole = (folder / "000002.zip").read_bytes()
    for failing in range(len(steps)):
        (folder / "000002.zip").unlink(missing_ok=True)
        seen = list[durable.Step]()

        def refuse(step: durable.Step, seen: list[durable.Step] = seen, failing: int = failing) -> None:
            seen.append(step)
            if len(seen) == failing + 1:
                raise OSError(errno.ENOSPC, "No space left on device")

        with durable.watched(refuse):
            try:
                write_part(folder, job, 1)
            except ArchiveError as error:
                assert "free some space" in str(error)  # noqa: PT017
        write_part(folder, job, 1)
        assert (folder / "000002.zip").read_bytes() == whole
        clean_up(store_of(folder))
    assert not list(folder.glob(".*.tmp"))
    assert len(steps) > 8
