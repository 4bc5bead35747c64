"""A part of a job leaves the same archive whoever does it, however often, and says what it could not take."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import time
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, Row, jobs, verify
from batchcomp.archive.jobs import OpenJob
from batchcomp.archive.segments import segment_name
from batchcomp.errors import ModelError
from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.executors.local import LocalExecutor
from batchcomp.pipeline.job_settings import Machine, settings_of
from batchcomp.pipeline.parts import compress_part
from batchcomp.pipeline.planning import Planner, finish
from batchcomp.pipeline.records import Done, Event, Failed, Passed, tally
from batchcomp.pipeline.spread import compress_over, parts_of_shard
from batchcomp.settings import CompressSettings
from tests.cli import samples

MACHINE = Machine(device="cpu", jobs=1)
COUNT = 7


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder of photos, two of them with the same content."""
    for number in range(COUNT - 1):
        samples.save(tmp_path / "photos" / f"{number}.png", samples.image(40, 48 + number, seed=number))
    shutil.copy(tmp_path / "photos" / "0.png", tmp_path / "photos" / "like 0.png")
    return tmp_path / "photos"


@pytest.fixture
def settings(photos: Path, tiny_model: Path, tmp_path: Path) -> CompressSettings:
    return CompressSettings(
        paths=(photos,), archive=tmp_path / "x.bca", model=tiny_model, device="cpu", jobs=1, isolate=False
    )


def planned(settings: CompressSettings, part_files: int = 2) -> OpenJob:
    planner = Planner(settings, part_files=part_files)
    assert not tally(planner.events()).failures
    assert planner.job
    return planner.job


def contents(archive: Path) -> dict[str, tuple[str, str]]:
    """Return the checksums of source and payload of every picture, each of which was read and is sound."""
    with ArchiveReader.open(archive) as reader:
        assert not reader.damage
        rows: list[Row] = list(reader.rows())
        for row in rows:
            reader.read(row)
    return {row.path: (row.source_sha256, row.payload_sha256) for row in rows}


def do_all(settings: CompressSettings, job: OpenJob) -> list[Event]:
    return [event for part in range(1, job.parts + 1) for event in compress_part(settings.archive, job, part, MACHINE)]


@pytest.fixture
def whole(settings: CompressSettings, tmp_path: Path) -> dict[str, tuple[str, str]]:
    """Return what a run without parts stores."""
    local = CompressSettings(**{**vars(settings), "archive": tmp_path / "local.bca"})
    tally(compress_archive(local))
    return contents(local.archive)


def test_parts_in_any_order_hold_what_one_run_holds(settings: CompressSettings, whole: dict[str, object]) -> None:
    """While the job is open `verify` is clean; closed, the archive has no trace of it, and the same payloads."""
    job = planned(settings)
    for part in (3, 1, 4, 2):
        events = compress_part(settings.archive, job, part, MACHINE)
        assert all(isinstance(event, Done) for event in events)
        assert verify(settings.archive).ok
    assert list(finish(settings, job)) == []
    assert contents(settings.archive) == whole
    assert sorted(path.name for path in settings.archive.iterdir()) == [
        ".lock", *(segment_name(number) for number in job.numbers), "settings.json",
    ]  # fmt: skip
    assert verify(settings.archive).ok


def test_files_of_the_same_content_are_stored_once(settings: CompressSettings) -> None:
    """Those of one size are in one part, where the second shares the first one's payload."""
    job = planned(settings)
    do_all(settings, job)
    with ArchiveReader.open(settings.archive) as reader:
        rows = {row.path: row for row in reader.rows()}
    first, second = rows["0.png"], rows["like 0.png"]
    assert second.place == first.place
    assert bool(second.owner_segment) != bool(first.owner_segment)


def test_content_of_before_the_job_is_shared(settings: CompressSettings, photos: Path) -> None:
    """A copy of what the archive held when the job was planned gets a row alone."""
    tally(compress_archive(settings))
    shutil.copy(photos / "3.png", photos / "copy.png")
    job = planned(settings)
    assert job.files == (1,)
    (event,) = compress_part(settings.archive, job, 1, MACHINE)
    assert isinstance(event, Done)
    assert event.row is not None
    assert event.row.owner_segment == 1


def test_what_another_open_job_may_store_is_not_shared(settings: CompressSettings, photos: Path) -> None:
    """Which of two jobs is faster decides nothing: each refers only to what was there before both."""
    tally(compress_archive(settings))
    samples.save(photos / "new.png", samples.image(60, 61, seed=50))
    first = planned(settings)
    shutil.copy(photos / "new.png", photos / "newer.png")
    second = planned(settings)
    assert (first.base, first.after, second.base, second.after) == (1, 1, 1, 2)
    for job in (first, second):
        events = do_all(settings, job)
        assert all(
            isinstance(event, Done) and event.row and event.row.owner_segment in {0, job.first} for event in events
        )
        list(finish(settings, job))
    assert verify(settings.archive).ok


def test_a_part_done_twice_says_that_it_was_stored(settings: CompressSettings) -> None:
    """The second time nothing is compressed and nothing changes."""
    job = planned(settings)
    compress_part(settings.archive, job, 1, MACHINE)
    before = (settings.archive / "000001.zip").stat()
    facts = (before.st_ino, before.st_mtime_ns)
    events = compress_part(settings.archive, job, 1, MACHINE)
    assert [type(event) for event in events] == [Passed, Passed]
    assert all(isinstance(event, Passed) and event.unchanged for event in events)
    after = (settings.archive / "000001.zip").stat()
    assert (after.st_ino, after.st_mtime_ns) == facts


def do_part(archive: Path, job: OpenJob, until: float) -> None:
    """What each of several processes does, from the same moment on."""
    while time.time() < until:
        time.sleep(0.001)
    os._exit(0 if all(isinstance(event, Done | Passed) for event in compress_part(archive, job, 1, MACHINE)) else 1)


def test_two_processes_on_one_part_store_it_once(settings: CompressSettings) -> None:
    """Both end well; there is one segment, and nothing is left over."""
    job = planned(settings, part_files=COUNT)
    context = multiprocessing.get_context("spawn")
    until = time.time() + 5
    processes = [context.Process(target=do_part, args=(settings.archive, job, until)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(contents(settings.archive)) == COUNT
    assert not list(settings.archive.glob(".*.tmp"))


def test_a_file_that_changed_since_the_plan_is_left_to_the_next_run(settings: CompressSettings, photos: Path) -> None:
    """It is named; the others of its part are stored, and a run after the job takes it."""
    job = planned(settings, part_files=COUNT)
    samples.save(photos / "2.png", samples.image(90, 90, seed=99))
    (photos / "4.png").unlink()
    outcome = {event.name: event for event in do_all(settings, job)}
    assert isinstance(outcome["2.png"], Failed)
    assert "changed since the job was planned" in outcome["2.png"].reason
    assert isinstance(outcome["4.png"], Failed)
    assert sum(isinstance(event, Done) for event in outcome.values()) == COUNT - 2
    again = {event.name: event for event in do_all(settings, job)}
    assert isinstance(again["2.png"], Failed)
    assert "run `compress` again" in again["2.png"].reason
    list(finish(settings, job))
    done = [event.name for event in compress_archive(settings) if isinstance(event, Done)]
    assert done == ["2.png"]


def test_abandoned_numbers_are_closed_and_a_late_worker_fails(settings: CompressSettings) -> None:
    """`finish` names each part that was not done; whoever does it later is told so, and nothing changes."""
    job = planned(settings)
    compress_part(settings.archive, job, 2, MACHINE)
    failures = list(finish(settings, job))
    assert [event.name for event in failures if isinstance(event, Failed)] == ["000001.zip", "000003.zip", "000004.zip"]
    assert "part 1 of job" in str(failures[0])
    assert verify(settings.archive).ok
    before = samples.tree(settings.archive)
    with pytest.raises(Exception, match="cannot be used"):
        compress_part(settings.archive, job, 1, MACHINE)
    assert samples.tree(settings.archive) == before


def test_a_worker_that_is_late_with_its_commit_fails_clearly(
    settings: CompressSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is closed while a part is compressed: its number has an empty segment by then."""
    from batchcomp.archive.part_writer import PartWriter  # noqa: PLC0415

    job, commit = planned(settings), PartWriter.commit
    late = []

    def closing_first(self: PartWriter) -> bool:
        if not late:
            late.append(True)
            list(finish(settings, job))
        return commit(self)

    monkeypatch.setattr(PartWriter, "commit", closing_first)
    (event,) = compress_part(settings.archive, job, 1, MACHINE)
    assert isinstance(event, Failed)
    assert "stored by another worker or closed, and differs: 2 of 2 pictures" in event.reason
    assert verify(settings.archive).ok
    assert len(contents(settings.archive)) == 0


def test_another_model_than_the_jobs_is_refused(settings: CompressSettings, other_model: Path) -> None:
    """A machine whose model file has the same name but another content stores nothing."""
    job = planned(settings)
    assert settings.model
    settings.model.with_name("kept").write_bytes(settings.model.read_bytes())
    try:
        settings.model.write_bytes(other_model.read_bytes())
        with pytest.raises(ModelError, match="not the one that the job was planned with"):
            compress_part(settings.archive, job, 1, Machine(device="cpu", jobs=2))
    finally:
        settings.model.write_bytes(settings.model.with_name("kept").read_bytes())
    assert not list(settings.archive.glob("*.zip"))


def test_a_job_keeps_what_it_was_asked_for(settings: CompressSettings) -> None:
    """What is read from its file is what was planned, but for what each machine says itself."""
    job = planned(CompressSettings(**{**vars(settings), "quality": 33, "pack": True, "verbatim": ("*.txt",)}))
    again = settings_of(settings.archive, jobs.find_job(settings.archive, job.id).settings, MACHINE)
    assert (again.quality, again.pack, again.verbatim) == (33, True, ("*.txt",))
    assert (again.limits, again.model) == (settings.limits, settings.model)


def test_a_run_over_an_executor_is_a_run(settings: CompressSettings, photos: Path, whole: dict[str, object]) -> None:
    """Planned, done and closed in one; failures are remembered, and the next run has nothing to do."""
    (photos / "broken.png").write_bytes((photos / "1.png").read_bytes()[:200])
    outcome = tally(compress_over(settings, LocalExecutor(), MACHINE, part_files=3))
    assert (outcome.counts["done"], outcome.counts["failed"]) == (COUNT, 1)
    assert contents(settings.archive) == whole
    again = tally(compress_over(settings, LocalExecutor(), MACHINE))
    assert (again.counts["unchanged"], again.counts["failed_before"], again.counts["failed"]) == (COUNT, 1, 0)
    assert len(list(settings.archive.glob("*.zip"))) == 3


def test_shards_cover_a_job(settings: CompressSettings) -> None:
    """Every part is in exactly one share, however many there are."""
    job = planned(settings)
    for shards in (1, 3, 16):
        parts = [part for shard in range(1, shards + 1) for part in parts_of_shard(job, shard, shards)]
        assert sorted(parts) == [1, 2, 3, 4]
