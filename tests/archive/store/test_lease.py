"""One writer at a time, by a lease whose term the store's clock tells."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from batchcomp.archive.store import StoreError, lease
from batchcomp.archive.store.bucket import Bucket
from batchcomp.archive.store.lease import LEASE_NAME, Lease
from batchcomp.archive.store.objects import Objects
from batchcomp.errors import ArchiveLockedError


def lease_on(bucket: Bucket) -> Lease:
    return Lease(bucket, lambda _lease: None)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it, and all terms that were begun are over, by the store's clock and by this machine's."""
    shift = 0.0
    real = lease.clock
    monkeypatch.setattr(lease, "clock", lambda: real() + shift)

    def go_on() -> None:
        nonlocal shift
        shift += lease.SECONDS + 1
        monkeypatch.setattr(lease, "_GRACE", -lease.SECONDS - 1)

    return go_on


def test_the_second_one_is_told_who_has_it(bucket: Bucket) -> None:
    """While it is held nobody else gets it; given back it is free at once."""
    first = lease_on(bucket)
    first.acquire(0)
    assert first.exists()
    with pytest.raises(ArchiveLockedError, match=r"process [0-9]+ on .* is writing to this archive") as caught:
        lease_on(bucket).acquire(0)
    assert caught.value.exit_code == 11
    first.release()
    assert not first.exists()
    second = lease_on(bucket)
    second.acquire(0)
    second.release()


def test_waiting_for_it(bucket: Bucket) -> None:
    """It is asked for again until it is free."""
    first = lease_on(bucket)
    first.acquire(0)
    waiting = Bucket(bucket.url, bucket.client, sleep=lambda _seconds: first.release())
    lease_on(waiting).acquire(60)


@pytest.mark.parametrize("round_", range(10))
def test_of_many_at_once_one_wins(bucket: Bucket, round_: int) -> None:
    """Two planners that start at the same moment never both go on, be the lease new or left behind by a dead one."""
    if round_ % 2:
        bucket.put(LEASE_NAME, json.dumps({"seconds": 0}).encode())
    barrier, outcomes = threading.Barrier(8), list[str]()

    def take() -> None:
        own = lease_on(bucket)
        barrier.wait()
        try:
            own.acquire(0)
        except ArchiveLockedError:
            outcomes.append("locked")
        else:
            outcomes.append("won")

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["locked"] * 7 + ["won"]


def test_one_whose_term_is_over_is_taken_over(bucket: Bucket, later: Callable[[], None]) -> None:
    """The one that was away learns it before it changes anything; the new one is not disturbed."""
    store, other = Objects(bucket), Objects(bucket)
    away, new = store.lock(), other.lock()
    away.acquire(0)
    later()
    new.acquire(0)
    with pytest.raises(ArchiveLockedError, match="another one has taken over") as caught:
        store.put_new("000001.zip", b"of the one that was away")
    assert caught.value.exit_code == 11
    for change in (lambda: store.replace("a", b""), lambda: store.delete("a")):
        with pytest.raises(ArchiveLockedError):
            change()
    other.put_new("000001.zip", b"of the new one")
    away.release()
    new.release()
    assert bucket.get("000001.zip", 0, 99)[0] == b"of the new one"


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wrong_clock_changes_nothing(bucket: Bucket, monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    """Whether a term is over is told by two times of the store, however far this machine's clock is from it."""
    real = Bucket._stored

    def shifted(self: Bucket, meta: Any) -> Any:
        found = real(self, meta)
        return replace(found, modified=found.modified + timedelta(hours=hours))

    monkeypatch.setattr(Bucket, "_stored", shifted)
    first = lease_on(bucket)
    first.acquire(0)
    with pytest.raises(ArchiveLockedError):
        lease_on(bucket).acquire(0)
    first._stop.set()
    monkeypatch.setattr(lease, "_GRACE", -lease.SECONDS - 1)
    lease_on(bucket).acquire(0)


def test_renewing_changes_the_bytes(bucket: Bucket) -> None:
    """Else the ETag stayed the same, and one who read it before would take over what is still held."""
    own = lease_on(bucket)
    own.acquire(0)
    before = bucket.head(LEASE_NAME).identity
    own._renew()
    assert bucket.head(LEASE_NAME).identity != before
    own.check()
    own.release()


def test_it_is_renewed_in_the_background(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as it is held, whatever its holder does meanwhile."""
    monkeypatch.setattr(lease, "SECONDS", 0.03)
    renewed = threading.Event()
    real = Lease._renew

    def renew(self: Lease) -> None:
        real(self)
        renewed.set()

    monkeypatch.setattr(Lease, "_renew", renew)
    own = lease_on(bucket)
    own.acquire(0)
    assert renewed.wait(30)
    own.release()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"seconds": "x"}', b'{"seconds": -5}', b"\xff" * 5000])
def test_what_is_no_lease_is_one_of_the_usual_term(bucket: Bucket, data: bytes) -> None:
    """Nobody knows who wrote it: it holds until its time is over."""
    bucket.put(LEASE_NAME, data)
    with pytest.raises(ArchiveLockedError, match="another process is writing"):
        lease_on(bucket).acquire(0)


def test_a_store_without_conditions_is_refused(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs would overwrite each other; who vouches that there is one may go on."""
    real = Bucket.put
    monkeypatch.setattr(Bucket, "put", lambda self, name, source, **_: real(self, name, source))
    with pytest.raises(StoreError, match="no conditional puts") as caught:
        Objects(bucket).put_new("a", b"x")
    assert "BATCHCOMP_ONE_WRITER=1" in caught.value.advice
    monkeypatch.setenv("BATCHCOMP_ONE_WRITER", "1")
    store = Objects(bucket)
    lock = store.lock()
    lock.acquire(0)
    store.put_new("a", b"x")
    with pytest.raises(FileExistsError):
        store.put_new("a", b"y")
    store.replace("a", b"z")
    lock.release()
    assert store.read("a", 0, 9) == b"z"
