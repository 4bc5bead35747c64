"""Jobs in every kind of store: whatever change of the store is a worker's last one, running again completes the job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batchcomp.archive import ArchiveReader, jobs, verify
from batchcomp.archive.part_writer import PartTakenError, PartWriter
from batchcomp.archive.store import Store, store_of
from tests.archive.samples import fixed_now, sample_row, write_archive
from tests.crash.scenario import JOB, contents, job_all, plan_job

CHANGES = ("put_new", "replace", "delete", "set_aside")


class DiedError(BaseException):
    """The process is dead: what it would still do does not reach the store."""


class MortalStore:
    """A store whose process dies at its n-th change: right before it, or right after, when the answer is lost."""

    def __init__(self, store: Store, dies_at: int = 0, *, after: bool = False) -> None:
        self._store, self._dies_at, self._after, self.changes = store, dies_at, after, 0

    def __str__(self) -> str:
        return str(self._store)

    def __getattr__(self, name: str) -> Any:
        if self._is_dead:
            raise DiedError
        found = getattr(self._store, name)
        return self._change(found) if name in CHANGES else found

    @property
    def _is_dead(self) -> bool:
        return bool(self._dies_at) and self.changes >= self._dies_at

    def _change(self, call: Any) -> Any:
        def change(*arguments: Any) -> Any:
            self.changes += 1
            if self._is_dead and not self._after:
                raise DiedError
            answer = call(*arguments)
            if self._is_dead:
                raise DiedError
            return answer

        return change


def copy(store: Store, tmp_path: Path) -> Store:
    """Return a new store of the same kind, which does not wait for leases of the dead."""
    place = store.place
    if isinstance(place, Path):
        new = store_of(tmp_path / f"{len(list(tmp_path.iterdir()))}.bca")
        new.create()
        return new
    names = [entry.name for entry in store.entries()]
    for name in [*names, *(f"jobs/{entry.name}" for entry in store.entries("jobs"))]:
        if not name.startswith("."):
            store.delete(name)
    return store


@pytest.mark.parametrize("after", [False, True])
def test_a_worker_dies_at_every_change_of_the_store(store: Store, tmp_path: Path, *, after: bool) -> None:
    """Planning, every part, closing: nothing is lost, nothing is there twice, and `verify` is clean all the while."""
    write_archive(store, [(sample_row("before.png"), b"before")])
    counted: Any = MortalStore(store)
    job_all(counted)
    whole = contents(store)
    assert counted.changes >= 8
    for number in range(1, counted.changes + 1):
        again = copy(store, tmp_path)
        write_archive(again, [(sample_row("before.png"), b"before")])
        mortal: Any = MortalStore(again, number, after=after)
        with pytest.raises(DiedError):
            job_all(mortal)
        assert verify(again).ok
        job_all(again)
        assert contents(again) == whole
        report = verify(again)
        assert (report.ok, report.entries) == (True, len(whole))
        assert jobs.open_ids(again) == []


def test_a_part_is_stored_once(store: Store) -> None:
    """The second writer of a part is told that it is there; one with other content, that it failed."""
    write_archive(store, [(sample_row("before.png"), b"before")])
    job = plan_job(store)
    for expected in (True, False):
        with PartWriter(store, job, 1) as writer:
            writer.add(sample_row("a.png"), b"payload")
            assert writer.commit() in {expected, True}
    with PartWriter(store, job, 1) as writer:
        writer.add(sample_row("other.png"), b"payload")
        with pytest.raises(PartTakenError, match="1 of 1 pictures"):
            writer.commit()
    assert [row.path for row in ArchiveReader.open(store).rows()] == ["before.png", "a.png"]
    assert jobs.find_job(store, JOB).created == fixed_now()


def test_a_reader_during_an_open_job(store: Store) -> None:
    """It sees the parts that are there; a gap among the job's numbers is no damage."""
    write_archive(store, [(sample_row("before.png"), b"before")])
    job = plan_job(store)
    reader = ArchiveReader.open(store)
    for part in (4, 2):
        with PartWriter(store, job, part) as writer:
            writer.add(sample_row(f"{part}.png"), b"payload")
            writer.commit()
    assert [row.path for row in reader.rows()] == ["before.png"]
    now = ArchiveReader.open(store)
    assert [row.path for row in now.rows()] == ["before.png", "2.png", "4.png"]
    assert not now.damage
