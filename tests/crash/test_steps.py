"""Whichever step of a run is the last one, nothing that was committed is lost, and running again completes it."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchcomp.archive import durable, verify
from batchcomp.errors import ArchiveError

from .conftest import Server
from .disk import Disk
from .scenario import RUNS, STARTS, contents, segments
from .server import DIED

NAMES = list(RUNS)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def start(name: str, tmp_path: Path) -> Path:
    """Return an archive as the run finds it."""
    STARTS[name](tmp_path / "start.bca")
    return tmp_path / "start.bca"


@pytest.fixture
def undisturbed(name: str, start: Path, tmp_path: Path) -> Path:
    """Return the archive as the run leaves it."""
    copy(start, tmp_path / "undisturbed.bca")
    RUNS[name](tmp_path / "undisturbed.bca")
    return tmp_path / "undisturbed.bca"


def copy(start: Path, folder: Path) -> Path:
    """Copy an archive, which need not be there."""
    shutil.rmtree(folder, ignore_errors=True)
    if start.exists():
        shutil.copytree(start, folder)
    return folder


def steps_of(name: str, folder: Path) -> list[durable.Step]:
    """Run to the end and return all steps."""
    steps: list[durable.Step] = []
    with durable.watched(steps.append):
        RUNS[name](folder)
    return steps


def check_crash(name: str, folder: Path, start: Path, undisturbed: Path) -> None:
    """What must hold after a crash, and after the next run."""
    if name != "repair" and list(folder.glob("*.zip")):
        assert verify(folder).ok
    if name == "prune":
        assert contents(folder) in (contents(start), contents(undisturbed))
    RUNS[name](folder)
    assert verify(folder).ok
    assert contents(folder) == contents(undisturbed)
    assert not list(folder.glob(".*.tmp"))
    if name in {"prune", "job"}:
        assert segments(folder) == segments(undisturbed)
    if name == "repair":
        kept = [path.read_bytes() for path in folder.glob("*.damaged*")]
        assert all(data in kept or segments(folder).get(old) == data for old, data in segments(start).items())


def test_a_process_that_dies_at_any_step(
    name: str, start: Path, undisturbed: Path, server: Server, tmp_path: Path
) -> None:
    """A process that ends at any step, or in the middle of a write, leaves what the next run can go on from."""
    steps = steps_of(name, copy(start, tmp_path / "count.bca"))
    for number in range(1, len(steps) + 1):
        folder = copy(start, tmp_path / "x.bca")
        assert server.run(name, folder, die_at=number) == DIED, server.said
        check_crash(name, folder, start, undisturbed)
    assert server.run(name, copy(start, tmp_path / "x.bca"), die_at=len(steps) + 1) == 0
    assert len(steps) > 30
    print(f"{name}: died at {len(steps)} steps, 0 lost")  # noqa: T201


@pytest.mark.parametrize("names_first", [False, True])
def test_a_power_failure_at_any_step(
    name: str, start: Path, undisturbed: Path, tmp_path: Path, *, names_first: bool
) -> None:
    """What was not waited for may be gone after a power failure; segments that were committed never are."""
    folder = copy(start, tmp_path / "x.bca")
    disk, steps = Disk.of(folder), steps_of(name, folder)
    for number, (step, committed) in enumerate(with_commits(steps)):
        after = tmp_path / "after" / f"{number}.bca"
        disk.after_power_failure(after, names_first=names_first)
        assert committed <= {path.name for path in after.iterdir()}
        check_crash(name, after, start, undisturbed)
        disk.make(step)
        shutil.rmtree(after)
    print(f"{name}: power failed before {len(steps)} steps, 0 lost")  # noqa: T201


def with_commits(steps: list[durable.Step]) -> Iterator[tuple[durable.Step, set[str]]]:
    """Yield each step with the segments that had their names, safely, before it."""
    named: set[str] = set()
    safe: set[str] = set()
    for step in steps:
        yield step, set(safe)
        if step.kind in {"link", "rename", "replace"} and step.other:
            named.add(step.other.name)
        if step.kind == "sync_folder":
            safe |= {name for name in named if name.endswith(".zip")}


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_refuses_any_step(name: str, start: Path, undisturbed: Path, tmp_path: Path, error: int) -> None:
    """Whichever step fails, the run ends with one clear error or goes on, and a second run completes it."""
    total = len(steps_of(name, copy(start, tmp_path / "count.bca")))
    for number in range(1, total + 1):
        folder = copy(start, tmp_path / "x.bca")
        with durable.watched(refuse_at(number, error)):
            try:
                RUNS[name](folder)
            except ArchiveError as caught:
                assert str(folder) in str(caught)  # noqa: PT017
        check_crash(name, folder, start, undisturbed)
    print(f"{name}: {errno.errorcode[error]} at {total} steps, 0 lost")  # noqa: T201


def refuse_at(number: int, error: int) -> durable.Watcher:
    """Return a watcher that fails one step."""
    seen = 0

    def watch(_step: durable.Step) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            raise OSError(error, "the disk refuses")

    return watch
