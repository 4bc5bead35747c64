"""A cluster of two worker processes: what it stores and restores is what one process does, whichever worker dies."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from batchcomp.archive import verify
from batchcomp.archive.jobs import find_job, open_ids
from batchcomp.errors import ClusterError, PictureError, UsageError
from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.decode import decode_archive
from batchcomp.pipeline.executors.base import Lost
from batchcomp.pipeline.executors.dask import DaskExecutor, WorkerProcess
from batchcomp.pipeline.job_settings import Machine
from batchcomp.pipeline.records import tally
from batchcomp.pipeline.spread import compress_over, go_on
from batchcomp.pipeline.spread_reading import VerifyOver, restored_over
from batchcomp.pipeline.verify import VerifySettings, verify_archive
from batchcomp.settings import CompressSettings, DecodeSettings
from tests.cli import samples
from tests.dask_cluster import DaskCluster
from tests.pipeline.test_parts import contents

MACHINE = Machine(device="cpu", jobs=1)
QUICK, LONG = 3, 20  # kills


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with DaskCluster(tmp_path_factory.mktemp("dask")) as cluster:
        yield cluster


def double(item: int) -> int:
    return 2 * item


def process_of(_item: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def ignores_interrupts(_item: int) -> bool:
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def fail(_item: int) -> None:
    raise PictureError("a.png: is broken; take another")


def die(item: int) -> int:
    """Take the worker down, but for one item."""
    if item:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_every_item_gets_its_answer(cluster: DaskCluster) -> None:
    """More items than workers; both workers have a share, and none of them obeys Ctrl-C."""
    with DaskExecutor(cluster.address) as dask:
        assert dict(dask.run(double, list(range(50)))) == {item: 2 * item for item in range(50)}
        assert len({answer for _, answer in dask.run(process_of, list(range(20)))}) == 2
        assert [answer for _, answer in dask.run(ignores_interrupts, [0, 1, 2, 3])] == [True] * 4


def test_a_process_without_a_nanny_is_left_alone() -> None:
    """It is somebody's own, such as that of a notebook, and has to obey Ctrl-C."""
    before = signal.getsignal(signal.SIGINT)
    WorkerProcess().setup(SimpleNamespace(nanny=None))
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_of_a_worker_is_raised_here(cluster: DaskCluster) -> None:
    """With its type and its one line, as if it had happened in this process."""
    with DaskExecutor(cluster.address) as dask, pytest.raises(PictureError, match=r"^a.png: is broken; take another$"):
        list(dask.run(fail, [1]))


def test_there_is_no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No scheduler at the address, or one without workers: one line that says what to start."""
    monkeypatch.setattr("batchcomp.pipeline.executors.dask.WAIT", 0.3)
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        with pytest.raises(UsageError, match=r"no scheduler answers.*dask scheduler"), DaskExecutor(address):
            pass
    with DaskCluster(tmp_path, workers=0) as empty:
        monkeypatch.setattr("batchcomp.pipeline.executors.dask.WAIT", 3)
        with pytest.raises(UsageError, match=r"has no workers; start some"), DaskExecutor(empty.address):
            pass


def test_a_worker_of_another_version_is_refused(cluster: DaskCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is done it is named, with both versions."""
    monkeypatch.setattr("batchcomp.pipeline.executors.dask.__version__", "99.0")
    with pytest.raises(UsageError, match=r"this is 99.0; install the same"), DaskExecutor(cluster.address):
        pass


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of photos."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(24):
        samples.save(folder / f"{number:02d}.png", samples.image(120, 160 + number, seed=number))
    return folder


@pytest.fixture
def settings(photos: Path, tiny_model: Path, tmp_path: Path) -> CompressSettings:
    return CompressSettings(
        paths=(photos,), archive=tmp_path / "x.bca", model=tiny_model, device="cpu", jobs=1, isolate=False
    )


def test_compress_is_the_same_as_local(cluster: DaskCluster, settings: CompressSettings, tmp_path: Path) -> None:
    """The same pictures with the same payload hashes; the job is closed, and `verify` is clean."""
    local = CompressSettings(**{**vars(settings), "archive": tmp_path / "local.bca"})
    tally(compress_archive(local))
    with DaskExecutor(cluster.address) as dask:
        outcome = tally(compress_over(settings, dask, MACHINE, part_files=5))
    assert (outcome.counts["done"], outcome.counts["failed"]) == (24, 0)
    assert contents(settings.archive) == contents(local.archive)
    assert verify(settings.archive).ok
    assert not (settings.archive / "jobs").exists()


def test_decode_and_verify_are_the_same_as_local(
    cluster: DaskCluster, settings: CompressSettings, tmp_path: Path
) -> None:
    """The same files, byte for byte with their times; the same report, and the same pixels proved."""
    tally(compress_archive(settings))
    decoding = DecodeSettings(source=settings.archive, out=tmp_path / "local", jobs=1, model=settings.model)
    checking = VerifySettings(archive=settings.archive, decode=True, model=settings.model)
    local, here = tally(decode_archive(decoding)), list(verify_archive(checking))
    with DaskExecutor(cluster.address) as dask:
        spread = tally(decode_archive(replace(decoding, out=tmp_path / "spread"), restore=restored_over(dask)))
        there = list(verify_archive(checking, VerifyOver(dask)))
    assert (spread.counts, spread.failures) == (local.counts, [])
    assert samples.tree(tmp_path / "spread") == samples.tree(tmp_path / "local")
    assert len(samples.tree(tmp_path / "local")) == 24
    assert sorted(map(str, there)) == sorted(map(str, here))


def test_decode_goes_on_where_a_worker_was_lost(
    cluster: DaskCluster, settings: CompressSettings, tmp_path: Path
) -> None:
    """What it had written is no reason to refuse its work to the next one; what was there before is left alone."""
    tally(compress_archive(settings))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "05.png").write_text("mine")
    decoding = DecodeSettings(source=settings.archive, out=tmp_path / "out", jobs=1, model=settings.model)
    with DaskExecutor(cluster.address) as dask, cluster.losing_workers(random.Random(3), 2):  # noqa: S311
        outcome = tally(decode_archive(decoding, restore=restored_over(dask)))
    assert (outcome.counts["done"], outcome.counts["failed"]) == (23, 1)
    assert "--force" in outcome.failures[0].reason
    assert (tmp_path / "out" / "05.png").read_text() == "mine"
    assert len([path for path in (tmp_path / "out").iterdir() if path.suffix == ".png"]) == 24


@pytest.mark.parametrize("kills", [QUICK, pytest.param(LONG, marks=pytest.mark.long)])
def test_kills_of_workers_at_random_moments(
    cluster: DaskCluster, settings: CompressSettings, tmp_path: Path, kills: int
) -> None:
    """Whatever is killed with -9 while runs are on: no picture is lost, none is there twice, nothing is left over."""
    local = CompressSettings(**{**vars(settings), "archive": tmp_path / "local.bca"})
    tally(compress_archive(local))
    whole, chance, killed, runs = contents(local.archive), random.Random(21), 0, 0  # noqa: S311
    with DaskExecutor(cluster.address) as dask:
        while killed < kills:
            archive = tmp_path / f"{runs}.bca"
            run = CompressSettings(**{**vars(settings), "archive": archive})
            with cluster.losing_workers(chance, kills - killed) as lost:
                outcome = tally(compress_over(run, dask, MACHINE, part_files=1))
            killed += len(lost)
            assert (outcome.counts["done"] + outcome.counts["unchanged"], outcome.failures) == (24, [])
            assert contents(archive) == whole
            report = verify(archive)
            assert (report.ok, report.entries) == (True, 24)
            assert not list(archive.glob(".*.tmp"))
            runs += 1
    print(f"kill -9 of workers: {killed} in {runs} runs of 24 pictures, 0 lost, 0 twice")  # noqa: T201


def test_a_task_that_takes_its_workers_down_is_given_up(cluster: DaskCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named as lost, after some tries; the others are done."""
    monkeypatch.setattr("batchcomp.pipeline.executors.dask.TRIES", 1)
    with DaskExecutor(cluster.address) as dask:
        answers = dict(dask.run(die, [0, 1]))
    assert answers[0] == 0
    assert isinstance(answers[1], Lost)
    assert "every worker that tried it ended" in answers[1].reason


def test_an_interruption_lets_go(cluster: DaskCluster, settings: CompressSettings) -> None:
    """Ctrl-C in the parent: what was not begun is not done, the job is named, and goes on to its end later."""
    with DaskExecutor(cluster.address) as dask:
        events = compress_over(settings, dask, MACHINE, part_files=1)
        next(events)
        with pytest.raises(KeyboardInterrupt) as caught:
            events.throw(KeyboardInterrupt("SIGINT"))
        (name,) = open_ids(settings.archive)
        assert f"--job {name}" in caught.value.__notes__[0]
        job = find_job(settings.archive, name)
        outcome = tally(go_on(settings.archive, job, dask, MACHINE))
    assert (outcome.counts["done"] + outcome.counts["unchanged"], outcome.failures) == (24, [])
    assert outcome.counts["unchanged"] >= 1
    assert open_ids(settings.archive) == []


def test_the_scheduler_dies(settings: CompressSettings, tmp_path: Path) -> None:
    """The run ends with one line that says how to go on; what was stored is stored, and the job goes on elsewhere."""
    with DaskCluster(tmp_path / "dask", workers=1) as mortal, DaskExecutor(mortal.address) as dask:
        events = compress_over(settings, dask, MACHINE, part_files=1)
        next(events)
        os.kill(mortal.scheduler, signal.SIGKILL)
        with pytest.raises(ClusterError, match="the scheduler is gone") as caught:
            list(events)
    assert "--job" in caught.value.__notes__[0]
    assert verify(settings.archive).ok


def test_all_workers_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run does not wait for ever for workers that nothing starts again; it says what to do."""
    monkeypatch.setattr("batchcomp.pipeline.executors.dask.GONE", 0.6)
    with DaskCluster(tmp_path / "dask", workers=1) as mortal, DaskExecutor(mortal.address) as dask:
        answers = dask.run(process_of, range(1000))
        next(answers)
        mortal.lose_all_workers()
        with pytest.raises(ClusterError, match=r"has had no worker for 0\.6 seconds; start some"):
            list(answers)


class Answer:
    """An answer that was lost with its worker, or one that is an error."""

    def __init__(self, status: str, error: Exception) -> None:
        self.status, self._error = status, error

    def result(self, timeout: float) -> object:
        assert timeout > 0
        raise self._error


def test_an_answer_that_was_lost_with_the_last_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was ready, and is not any more: nobody waits for ever for a worker that does it again."""
    monkeypatch.setattr("batchcomp.pipeline.executors.dask.GONE", 0.01)
    dask = DaskExecutor("tcp://127.0.0.1:1")
    monkeypatch.setattr(dask, "_client", SimpleNamespace(nthreads=dict))
    with pytest.raises(ClusterError, match=r"has had no worker for 0\.01 seconds"):
        dask._answer(Answer("pending", TimeoutError()))


def test_a_task_may_run_out_of_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then that is its error, and nothing is waited for."""
    dask = DaskExecutor("tcp://127.0.0.1:1")
    monkeypatch.setattr(dask, "_client", SimpleNamespace(nthreads=dict))
    with pytest.raises(TimeoutError, match="of the task"):
        dask._answer(Answer("error", TimeoutError("of the task")))
