"""Any sequence of what happens to an archive ends as a plain model of it says."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from batchcomp.archive import ArchiveReader, ArchiveWriter, Keep, Row, durable, prune, repair, verify
from batchcomp.archive.segments import look, segment_numbers

from .samples import sample_row
from .test_repair import describe

QUICK, LONG = 25, 2000
paths = st.sampled_from(["a.png", "b.png", "sub/a.png", "c.jpg"])
contents = st.sampled_from([b"one", b"two" * 50, b"three" * 9])
moments = st.integers(1, 60)
Files = dict[str, bytes]


class KilledError(Exception):
    """Ends a run at one step, as kill -9 would."""


@dataclass(frozen=True)
class Version:
    """One version of a path as the model knows it."""

    path: str
    data: bytes
    time: datetime


class Archive(RuleBasedStateMachine):
    """An archive on the disk beside a list of versions, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp()) / "x.bca"
        self.model: list[Version] = []
        self.ever: set[tuple[str, bytes]] = set()  # what was stored at any time
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def teardown(self) -> None:
        shutil.rmtree(self.folder.parent)

    def is_there(self) -> bool:
        return self.folder.exists() and bool(segment_numbers(self.folder))

    def newest(self) -> Files:
        return {version.path: version.data for version in self.model}

    def on_disk(self) -> list[tuple[str, bytes]]:
        if not self.is_there():
            return []
        archive = ArchiveReader.open(self.folder)
        return [(row.path, archive.read(row)) for row in archive.all_rows()]

    def survive(self, run: Callable[[], object], kill_at: int) -> bool:
        """Run, and end it at a step as a kill would; tell whether it came to its end."""
        seen = 0

        def watch(_step: durable.Step) -> None:
            nonlocal seen
            seen += 1
            if seen >= kill_at > 0:  # nothing that comes after it happens either
                raise KilledError

        try:
            with durable.watched(watch):
                run()
        except KilledError:
            return False
        return True

    @rule(
        files=st.lists(st.tuples(paths, contents), min_size=1, max_size=4),
        hours=st.integers(1, 900),
        kill_at=st.just(0) | moments,
        small=st.booleans(),
    )
    def compress(self, files: list[tuple[str, bytes]], hours: int, kill_at: int, *, small: bool) -> None:
        """New, changed, copied and renamed files: what is there is shared. A killed run keeps a beginning of it."""
        self.now += timedelta(hours=hours)
        wanted = [Version(path, data, self.now) for path, data in files]
        options = {"segment_bytes": 1 if small else 2**20}
        done = self.survive(lambda: self.write(wanted, options), kill_at)
        count = len(self.on_disk()) - len(self.model)
        assert 0 <= count <= len(wanted)
        assert count == len(wanted) or not done
        self.model += wanted[:count]
        self.ever |= {(version.path, version.data) for version in wanted[:count]}

    def write(self, wanted: list[Version], options: dict[str, int]) -> None:
        with ArchiveWriter(self.folder, now=lambda: self.now, **options) as writer:
            owners: dict[str, Row] = {}
            if self.is_there():
                owners = {row.source_sha256: row for row in ArchiveReader.open(self.folder).rows()}
            for version in wanted:
                digest = sha256(version.data).hexdigest()
                row = sample_row(version.path, source_sha256=digest)
                owner = owners.get(digest)
                owners[digest] = writer.add_shared(row, owner) if owner else writer.add(row, version.data)

    @precondition(is_there)
    @rule(last=st.integers(0, 2), daily=st.integers(0, 3), monthly=st.integers(1, 3), kill_at=st.just(0) | moments)
    def prune(self, last: int, daily: int, monthly: int, kill_at: int) -> None:
        """Rules keep what they keep; a killed run has dropped a part, never what is current, and can go on."""
        self.forget(Keep(last=last, daily=daily, monthly=monthly), set(), kill_at)

    @precondition(is_there)
    @rule(gone=st.sets(paths, max_size=2), kill_at=st.just(0) | moments)
    def delete_missing(self, gone: set[str], kill_at: int) -> None:
        """What is current is as before or as after at every moment, as a whole."""
        self.forget(Keep(last=1), gone, kill_at)

    def forget(self, keep: Keep, gone: set[str], kill_at: int) -> None:
        before, expected = self.newest(), self.kept_by(keep, gone)
        done = self.survive(lambda: prune(self.folder, keep=keep, gone=gone.__contains__), kill_at)
        if not done:
            assert verify(self.folder).ok
            archive = ArchiveReader.open(self.folder)
            after = {version.path: version.data for version in expected}
            assert {row.path: archive.read(row) for row in archive.rows()} in (before, after)
            prune(self.folder, keep=keep, gone=gone.__contains__)
        self.model = expected

    def kept_by(self, keep: Keep, gone: set[str]) -> list[Version]:
        """Say again, in the plainest way, what the rules keep."""
        kept: set[int] = set()
        for path in {version.path for version in self.model} - gone:
            mine = [index for index, version in enumerate(self.model) if version.path == path]
            if len(mine) == 1:
                kept.update(mine)
            kept.update(mine[-keep.last :] if keep.last else [])
            for number, form in ((keep.daily, "%Y-%m-%d"), (keep.monthly, "%Y-%m")):
                last_of = {self.model[index].time.strftime(form): index for index in mine}
                kept.update(last_of[name] for name in sorted(last_of)[-number:] if number)
        return [version for index, version in enumerate(self.model) if index in kept]

    @precondition(is_there)
    @rule(which=st.integers(0, 99), how=st.sampled_from(["flip", "cut", "empty", "copy", "swap", "rename"]), at=moments)
    def damage_and_restore(self, which: int, how: str, at: int) -> None:
        """Damage is found, nothing wrong is read, `repair` names it; the intact copy brings back everything."""
        intact = self.folder.with_name("intact")
        shutil.copytree(self.folder, intact)
        if self.harm(which, how, at):
            assert not verify(self.folder).ok
        expected = self.newest()
        found = repair(self.folder, describe)
        assert verify(self.folder).ok
        archive = ArchiveReader.open(self.folder)
        read = {row.path: archive.read(row) for row in archive.rows()}
        there, known = Counter(self.on_disk()), Counter((version.path, version.data) for version in self.model)
        lost = {data for _, data in known - there}
        for path, data in there - known:  # a deleted version counts again only where those that shared it are lost
            assert (path, data) in self.ever
            assert data in lost
        if read != expected:
            assert found.lost
        if how in {"swap", "rename"}:
            assert read == expected
        shutil.rmtree(self.folder)
        intact.rename(self.folder)

    def harm(self, which: int, how: str, at: int) -> bool:
        numbers = segment_numbers(self.folder)
        files = [self.folder / f"{number:06d}.zip" for number in numbers]
        path, other = files[which % len(files)], files[at % len(files)]
        data = path.read_bytes()
        position = len(data) * at // 61
        match how:
            case "flip":
                path.write_bytes(data[:position] + bytes([data[position] ^ 16]) + data[position + 1 :])
            case "cut":
                path.write_bytes(data[:position])
            case "empty":
                path.write_bytes(b"")
            case "copy":
                shutil.copy(path, self.folder / f"{numbers[-1] + 1:06d}.zip")
            case "swap":
                path.write_bytes(other.read_bytes())
                other.write_bytes(data)
                return path != other
            case _:
                path.rename(self.folder / f"{numbers[-1] + at:06d}.zip")
        return True

    @precondition(is_there)
    @rule(name=st.sampled_from(["0000001.zip", "20261125.zip", "999999.zip", "notes.zip"]))
    def a_stranger_comes_and_goes(self, name: str) -> None:
        """A foreign file changes nothing."""
        (self.folder / name).write_bytes(b"")
        assert [one.name for one in look(self.folder).foreign] == [name]
        assert repair(self.folder, describe).segments == ()
        self.check()
        (self.folder / name).unlink()

    @invariant()
    def check(self) -> None:
        """All versions are there, in their order, with their bytes, and every byte of the archive is right."""
        assert self.on_disk() == [(version.path, version.data) for version in self.model]
        if self.is_there():
            assert verify(self.folder).ok
            archive = ArchiveReader.open(self.folder)
            assert {row.path: archive.read(row) for row in archive.rows()} == self.newest()


@pytest.mark.parametrize("count", [QUICK, pytest.param(LONG, marks=pytest.mark.long)])
def test_any_history_is_what_the_model_says(count: int) -> None:
    """Random sequences of compress, prune, delete, repair, kill, damage and restore."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Archive, settings=settings_for(count)
    )


def settings_for(count: int) -> settings:
    return settings(max_examples=count, stateful_step_count=12, deadline=None, derandomize=count == QUICK)
