"""Whole runs while others work on the same archive, in a folder and in stores: nothing is lost, nothing is mixed up."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, jobs, prune, verify
from batchcomp.archive.store.opening import forget
from batchcomp.errors import ArchiveLockedError
from batchcomp.index import ArchiveIndex
from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.decode import decode_archive
from batchcomp.pipeline.job_settings import Machine
from batchcomp.pipeline.parts import compress_part
from batchcomp.pipeline.planning import Planner, finish
from batchcomp.pipeline.records import Done, Failed, tally
from batchcomp.places import Place, Url
from batchcomp.settings import CompressSettings, DecodeSettings
from tests.cli import samples

MACHINE = Machine(device="cpu", jobs=1)


@pytest.fixture(params=["folder", "memory", "s3"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return where an archive can lie, in a store of each kind."""
    if request.param == "folder":
        return tmp_path / "x.bca"
    if request.param == "memory":
        return Url("memory", secrets.token_hex(6), "x.bca")
    found: Url = request.getfixturevalue("s3")
    return found


@pytest.fixture
def settings(archive: Place, tiny_model: Path, tmp_path: Path) -> CompressSettings:
    return CompressSettings(
        paths=(tmp_path / "photos",), archive=archive, model=tiny_model, device="cpu", jobs=1, isolate=False
    )


@pytest.fixture
def save(tmp_path: Path) -> Callable[[int, int], None]:
    """Return what makes an original of a number and a seed."""

    def save(number: int, seed: int) -> None:
        samples.save(tmp_path / "photos" / f"{number}.png", samples.image(40, 48 + number, seed=seed))

    return save


def names(archive: Place) -> list[str]:
    with ArchiveIndex.open(archive) as index:
        assert index.damage() == []
        return sorted(row.path for row in index.rows())


def restored(settings: CompressSettings, out: Path) -> dict[str, bytes]:
    """Decode everything; return the files."""
    outcome = tally(decode_archive(DecodeSettings(source=settings.archive, out=out, jobs=1, model=settings.model)))
    assert outcome.failures == []
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_two_planners_at_once(settings: CompressSettings, save: Callable[[int, int], None]) -> None:
    """The second is told that the first one writes; when that is done, it plans with numbers of its own."""
    save(0, 0)
    tally(compress_archive(settings))
    for number in (1, 2, 3):
        save(number, number)
    first, second = Planner(settings, part_files=2), Planner(settings, part_files=1)
    events = first.events()
    next(events)  # of the one that is known: it has begun
    with pytest.raises(ArchiveLockedError) as caught:
        tally(second.events())
    assert caught.value.exit_code == 11
    assert second.job is None
    tally(events)
    assert first.job
    tally(second.events())
    assert second.job
    assert sorted(jobs.open_ids(settings.archive)) == sorted((first.job.id, second.job.id))
    assert set(first.job.numbers).isdisjoint(second.job.numbers)
    for job in (second.job, first.job):
        for part in range(1, job.parts + 1):
            compress_part(settings.archive, job, part, MACHINE)
        tally(finish(settings, job))
    report = verify(settings.archive)
    assert (report.ok, names(settings.archive)) == (True, [f"{number}.png" for number in range(4)])


def test_readers_during_an_open_job(
    settings: CompressSettings, save: Callable[[int, int], None], tmp_path: Path
) -> None:
    """Lists, checks and restores see what is stored so far, in whatever order parts come, and find no damage."""
    save(0, 0)
    tally(compress_archive(settings))
    for number in (1, 2, 3):
        save(number, number)
    planner = Planner(settings, part_files=1)
    tally(planner.events())
    job = planner.job
    assert job
    there = ["0.png"]
    reader = ArchiveReader.open(settings.archive)
    for part in (3, 1, 2):
        compress_part(settings.archive, job, part, MACHINE)
        there = names(settings.archive)
        assert len(there) == 2 + (3, 1, 2).index(part)
        assert verify(settings.archive).ok
        assert sorted(restored(settings, tmp_path / f"after {part}")) == there
        assert [row.path for row in reader.rows()] == ["0.png"]  # as it was when it was opened
    tally(finish(settings, job))
    assert names(settings.archive) == [f"{number}.png" for number in range(4)]


@pytest.mark.parametrize("at", [1, 3])
def test_prune_while_decode_reads(
    settings: CompressSettings, save: Callable[[int, int], None], tmp_path: Path, at: int
) -> None:
    """Segments are rewritten between two pictures of a run: it restores what it would have without that."""
    for number in range(6):
        save(number, number)
    tally(compress_archive(settings))
    for number in (0, 2, 4):
        save(number, 10 + number)
    tally(compress_archive(settings))
    before = restored(settings, tmp_path / "before")
    decoding = DecodeSettings(source=settings.archive, out=tmp_path / "now", jobs=1, model=settings.model)
    done = 0
    for event in decode_archive(decoding):
        assert not isinstance(event, Failed)
        done += isinstance(event, Done)
        if isinstance(event, Done) and done == at:
            assert len(prune(settings.archive).dropped) == 3
            forget()  # what was read before is not known any more
    assert done == 6
    assert {path.name: path.read_bytes() for path in (tmp_path / "now").iterdir()} == before
    assert names(settings.archive) == [f"{number}.png" for number in range(6)]
    assert restored(settings, tmp_path / "after") == before
