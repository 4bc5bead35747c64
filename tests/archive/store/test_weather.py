"""Bad weather between a run and its object store: nothing is lost, nothing is there twice, and a message says why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, ArchiveWriter, durable, prune, repair, verify
from batchcomp.archive.store import StoreError, store_of
from batchcomp.archive.store.bucket import Bucket
from batchcomp.archive.store.lease import Lease
from batchcomp.archive.store.opening import forget
from batchcomp.errors import ArchiveError, ArchiveLockedError, ArchiveNotFoundError
from batchcomp.places import Url
from tests import seaweed
from tests.archive.samples import fixed_now, sample_row
from tests.proxy import FAIL, LOSE, PASS, RESET, Decide, Proxy, proxy

SEGMENT = "000001.zip"
SKEWED = "<Error><Code>RequestTimeTooSkewed</Code></Error>"


@pytest.fixture
def between(s3: Url, server: seaweed.Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy that the environment leads to; retries do not wait."""
    del s3
    with proxy(server.endpoint) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        monkeypatch.setattr(Bucket, "_pause", lambda _self, _seconds: None)
        forget()
        yield running


def write(url: Url, *names: str, **options: float) -> None:
    with ArchiveWriter(url, now=fixed_now, **options) as writer:
        for name in names:
            writer.add(sample_row(name), name.encode() * 50)


def held(url: Url) -> dict[str, bytes]:
    """What the archive gives back, after every byte was checked."""
    assert verify(url).ok
    archive = ArchiveReader.open(url)
    rows = list(archive.rows())
    assert not archive.damage
    return {row.path: archive.read(row) for row in rows}


def whole(*names: str) -> dict[str, bytes]:
    return {name: name.encode() * 50 for name in names}


WEATHER: dict[str, Decide] = {
    "503 twice": lambda _method, _path, before: FAIL if before < 2 else PASS,
    "reset twice": lambda _method, _path, before: RESET if before < 2 else PASS,
    "every second answer lost": lambda _method, _path, before: PASS if before % 2 else LOSE,
    "answers to puts lost": lambda method, _path, before: LOSE if method == "PUT" and before == 0 else PASS,
}


@pytest.mark.parametrize("decide", WEATHER.values(), ids=WEATHER)
def test_weather_that_passes_leaves_no_trace(s3: Url, between: Proxy, decide: Decide) -> None:
    """Two runs, parity, reading, prune: the archive is what it is in fair weather, with no number used twice."""
    between.decide = decide
    write(s3, "a", "b", parity=0.1)
    write(s3, "b", "c")
    assert held(s3) == whole("a", "b", "c")
    prune(s3)
    assert held(s3) == whole("a", "b", "c")
    names = [entry.name for entry in store_of(s3).entries() if not entry.name.startswith(".")]
    assert names == ["000001.zip", "000001.zip.parity", "000002.zip", "000002.zip.parity"]
    assert between.spoiled >= 6


def test_weather_that_stays_is_told(s3: Url, between: Proxy) -> None:
    """After some tries the run ends with the reason and the next step; what was committed before is there."""
    write(s3, "a")
    for fate, said in ((FAIL, "503 Service Unavailable SlowDown"), (RESET, "cannot be reached")):
        with pytest.raises(ArchiveError, match=rf"{said}.*run again") as caught:
            _write_until(s3, between, fate)
        assert caught.value.exit_code == 1
        between.decide = fair
        _give_back(s3)
    assert held(s3) == whole("a")


def _write_until(url: Url, between: Proxy, fate: str) -> None:
    with ArchiveWriter(url) as writer:
        writer.add(sample_row("b"), b"b")
        between.decide = lambda _method, _path, _before: fate


def fair(_method: str, _path: str, _before: int) -> str:
    return PASS


def _give_back(url: Url) -> None:
    """A run that could not reach the store left its lease, which would run out."""
    store_of(url).delete(".lease")


def test_a_commit_that_another_run_was_quicker_with_is_told(s3: Url) -> None:
    """The number is taken by something else: a clear failure, and the other one's segment stays."""
    other = Url("s3", s3.bucket, f"{s3.prefix}-other")
    write(other, "b")
    with store_of(other).local("000001.zip") as path, ArchiveWriter(s3, now=fixed_now) as writer:
        writer.add(sample_row("a"), b"mine")
        store_of(s3).put_new("000001.zip", path.read_bytes())
        with pytest.raises(ArchiveError, match="another run has stored something else under this name"):
            writer.commit()
        writer._open = None
    assert held(s3) == whole("b")


STOPPED = """
import sys
from batchcomp.archive import ArchiveWriter
from batchcomp.archive.store import lease
from batchcomp.errors import BatchcompError
from batchcomp.places import place
from tests.archive.samples import sample_row
lease.SECONDS = 1.5
try:
    with ArchiveWriter(place(sys.argv[1])) as writer:
        writer.add(sample_row("a"), b"a" * 50)
        writer.commit()
        writer.add(sample_row("late"), b"late")
        print("ready", flush=True)
        sys.stdin.readline()
except BatchcompError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def test_a_run_that_was_stopped_past_its_lease_changes_nothing_more(s3: Url) -> None:
    """SIGSTOP, another run takes over, SIGCONT: exactly one of them commits what was open."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", STOPPED, str(s3)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as stopped:
        assert stopped.stdout
        assert stopped.stdin
        assert stopped.stdout.readline() == "ready\n"
        with pytest.raises(ArchiveLockedError, match=f"process {stopped.pid} "):
            write(s3, "b")
        stopped.send_signal(signal.SIGSTOP)
        write(s3, "b", lock_wait=60)
        stopped.send_signal(signal.SIGCONT)
        said, _ = stopped.communicate("\n", timeout=60)
        assert (stopped.returncode, "another one has taken over" in said) == (11, True)
    assert held(s3) == {"a": b"a" * 50, "b": b"b" * 50}


@pytest.mark.parametrize("wrong", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_wrong_credentials(s3: Url, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    """The message says where they come from and repeats none; nothing is tried twice."""
    monkeypatch.setenv(wrong, "wrong-and-secret")
    monkeypatch.setattr(Bucket, "_pause", lambda _self, _seconds: pytest.fail("it was tried again"))
    forget()
    for use in (lambda: write(s3, "a"), lambda: ArchiveReader.open(s3)):
        with pytest.raises(ArchiveError, match=r"access was refused \(403 .*AWS_ACCESS_KEY_ID") as caught:
            use()
        assert caught.value.exit_code == 1
        for secret in ("wrong-and-secret", seaweed.SECRET, seaweed.KEY):
            assert secret not in str(caught.value)


def test_a_bucket_that_is_not_there(s3: Url) -> None:
    """Reading finds no archive, writing says that it must be made."""
    url = Url("s3", "no-such-bucket", s3.prefix)
    with pytest.raises(ArchiveNotFoundError, match="there is no bucket 'no-such-bucket'; check the name, or create it"):
        ArchiveReader.open(url)
    for use in (lambda: write(url, "a"), lambda: repair(url, lambda _kind, _payload: {})):
        with pytest.raises(ArchiveError, match="there is no bucket"):
            use()


def test_the_store_finds_the_clock_wrong(s3: Url, between: Proxy) -> None:
    """It refuses signatures of another hour: the message says to set the clock."""
    between.decide = lambda _method, _path, _before: SKEWED
    with pytest.raises(ArchiveError, match="this machine's clock is wrong; set the clock and run again"):
        write(s3, "a")


def test_a_full_scratch_disk(s3: Url, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the scratch folder and how to have another; the next run stores everything."""
    write(s3, "a")

    def full(step: durable.Step) -> None:
        if step.kind == "write":
            raise OSError(28, "No space left on device")

    said = r"scratch folder .*batchcomp-.*: No space left on device; free some space and run again; TMPDIR names"
    with durable.watched(full), pytest.raises(ArchiveError, match=said):
        write(s3, "b")
    monkeypatch.setattr(Path, "open", _refusing(Path.open))
    forget()
    with pytest.raises(StoreError, match=r"the scratch folder .* No space left") as caught, store_of(s3).local(SEGMENT):
        pass
    assert "set TMPDIR" in caught.value.advice
    monkeypatch.undo()
    assert held(s3).keys() >= {"a"}


def _refusing(real: Callable[..., object]) -> Callable[..., object]:
    def refuse(path: Path, mode: str = "r", *arguments: object, **options: object) -> object:
        if mode == "xb":
            raise OSError(28, "No space left on device")
        return real(path, mode, *arguments, **options)

    return refuse


def test_prune_while_pictures_are_read(s3: Url) -> None:
    """A reader gives back what it saw when it was opened, or says that it was pruned; never other bytes."""
    write(s3, "a", "b")
    with ArchiveWriter(s3, now=lambda: fixed_now() + timedelta(days=1)) as writer:
        writer.add(sample_row("a"), b"the new a")
    archive = ArchiveReader.open(s3)
    old = list(archive.all_rows())
    assert archive.read(old[0]) == b"a" * 50
    assert len(prune(s3).dropped) == 1
    forget()
    for row, payload in zip(old, (b"a" * 50, b"b" * 50, b"the new a"), strict=True):
        try:
            assert archive.read(row) == payload
        except ArchiveError as error:
            assert "pruned meanwhile" in str(error)  # noqa: PT017
            assert row is old[0]
    assert held(s3) == {"b": b"b" * 50, "a": b"the new a"}


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_every_call(monkeypatch: pytest.MonkeyPatch, after: bool, step: int) -> None:
    """Before or after a request of a run and of prune: what was there is there, and the next run completes it."""
    monkeypatch.setattr(Lease, "_keep", lambda _self, _stop: None)  # the killed ones' threads end with them
    call = 0
    while True:
        url = Url("memory", f"killed-{after}-{step}-{call}", "x.bca")
        write(url, "a", "b", parity=0.1)
        if not _die_at(monkeypatch, call, url, after=after):
            break
        assert held(url).keys() >= {"a", "b"}
        store_of(url).delete(".lease")  # it would run out
        _story(url)
        assert held(url) == whole("a", "b", "c")
        call += step
    assert call > 30


def _story(url: Url) -> None:
    write(url, "b", "c")
    prune(url)


def _die_at(monkeypatch: pytest.MonkeyPatch, number: int, url: Url, *, after: bool) -> bool:
    """Run the story and end it at a request; tell whether it came that far."""
    real, count = Bucket._call, 0

    def call(self: Bucket, name: str, do: Callable[[], object]) -> object:
        nonlocal count
        count += 1
        if count > number and not after:
            raise Killed
        result = real(self, name, do)
        if count > number:
            raise Killed
        return result

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "_call", call)
        try:
            _story(url)
        except Killed:
            return True
        return False
