"""What every store does: a folder, a bucket in memory, a bucket of an S3 server."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from batchcomp.archive.store import StaleError, Store


def file_with(store: Store, data: bytes) -> Path:
    """A complete file in the store's scratch."""
    path = store.scratch / ".new.tmp"
    path.write_bytes(data)
    return path


def names(store: Store, under: str = "") -> list[str]:
    return [entry.name for entry in store.entries(under) if not entry.name.startswith(".")]


def test_an_empty_store_is_there(store: Store) -> None:
    """It exists, has no files, and is not made again."""
    assert (store.exists(), names(store), store.create(), store.stat("x")) == (True, [], False, None)


@pytest.mark.parametrize("as_file", [True, False])
def test_what_is_put_can_be_read(store: Store, as_file: bool) -> None:
    """From a file or from memory, whole, in pieces and as a local file; a file of scratch is gone then."""
    data = os.urandom(3_000_000)
    source = file_with(store, data) if as_file else data
    identity = store.put_new("000001.zip", source)
    assert store.stat("000001.zip") == store.entries()[[e.name for e in store.entries()].index("000001.zip")]
    with store.open("000001.zip") as file:
        assert (file.identity, file.size) == (identity, len(data))
        assert file.read() == data
        assert (file.seek(-5, os.SEEK_END), file.read(100), file.seek(7), file.read(2)) == (
            len(data) - 5, data[-5:], 7, data[7:9],
        )  # fmt: skip
    assert store.read("000001.zip", 2_900_000, 200_000, identity) == data[2_900_000:]
    assert store.read("000001.zip", 10, 4) == data[10:14]
    assert (store.read("000001.zip", 3_000_000, 4), store.read("000001.zip", 0, 0)) == (b"", b"")
    with store.local("000001.zip") as path:
        assert path.read_bytes() == data
    assert not (isinstance(source, Path) and source.exists())


def test_a_new_file_never_takes_the_place_of_another(store: Store) -> None:
    """The second of one name fails and stays in scratch; the first is what it was."""
    store.put_new("a", b"first")
    path = file_with(store, b"other")
    with pytest.raises(FileExistsError):
        store.put_new("a", path)
    assert (store.read("a", 0, 9), path.read_bytes()) == (b"first", b"other")


def test_only_what_is_known_is_replaced(store: Store) -> None:
    """By its identity once; by one that is out of date, or of a file that is gone, never."""
    first = store.put_new("a", b"first")
    second = store.replace("a", b"the second", first)
    assert second != first
    path = file_with(store, b"third")
    with pytest.raises(StaleError):
        store.replace("a", path, first)
    with pytest.raises(StaleError):
        store.replace("never there", path, first)
    assert (store.read("a", 0, 99, second), path.read_bytes()) == (b"the second", b"third")
    store.replace("a", path)
    assert (store.read("a", 0, 99), path.exists()) == (b"third", False)


def test_bytes_of_another_file_are_never_passed_off(store: Store) -> None:
    """Once a file was replaced or deleted, reads of the old one give its bytes or fail, and so do open files."""
    before = store.put_new("a", b"1" * 300_000)
    with store.open("a") as file:
        assert file.read(10) == b"1" * 10
        store.replace("a", b"2" * 300_000)
        file.seek(250_000)
        try:
            assert file.read(10) == b"1" * 10
        except OSError as error:
            assert isinstance(error, StaleError)  # noqa: PT017  # either is right
    for gone in (False, True):
        if gone:
            store.delete("a")
        with suppress(StaleError, FileNotFoundError):
            assert store.read("a", 1, 5, before) == b"1" * 5
    after = store.put_new("a", b"3" * 3_000_000)
    store.replace("a", b"4" * 3_000_000)
    with pytest.raises(StaleError):
        store.read("a", 2_000_000, 5, after)


def test_a_file_can_be_set_aside(store: Store) -> None:
    """Its bytes are there under the other name, which must be free."""
    store.put_new("a", b"bytes")
    store.set_aside("a", "a.damaged")
    store.replace("a", b"new")
    assert (store.read("a.damaged", 0, 9), store.read("a", 0, 9)) == (b"bytes", b"new")
    with pytest.raises(FileExistsError):
        store.set_aside("a", "a.damaged")


def test_files_can_lie_in_one_folder(store: Store) -> None:
    """They are listed there, and the folder is named at the top; one that is not there is empty."""
    assert names(store, "jobs") == []
    store.put_new("jobs/2 ü.json", b"{}")
    store.put_new("a", b"")
    assert names(store, "jobs") == ["2 ü.json"]
    assert [(entry.name, entry.problem) for entry in store.entries() if not entry.name.startswith(".")] == [
        ("a", ""), ("jobs", "is a folder"),
    ]  # fmt: skip
    assert store.read("jobs/2 ü.json", 0, 9) == b"{}"


def test_deleting_is_harmless(store: Store) -> None:
    """What is deleted is gone; what is not there can be deleted."""
    store.put_new("a", b"x")
    store.delete("a")
    store.delete("a")
    assert (store.stat("a"), names(store)) == (None, [])
    with pytest.raises(FileNotFoundError):
        store.open("a")
    with pytest.raises(FileNotFoundError):
        store.read("a", 0, 1)
