"""An index that cannot be used is made anew, or done without: it never ends a command."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from batchcomp.errors import ArchiveError, ArchiveLockedError
from batchcomp.index import ArchiveIndex, database, place, schema
from batchcomp.index.conditions import CURRENT, up_to
from batchcomp.index.schema import INDEXES, ids_of
from batchcomp.index.where import parse
from tests.index.samples import add, indexed, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an archive of three segments whose index is up to date."""
    folder = tmp_path / "x.bca"
    for some in ("ab", "bc", "d"):
        add(folder, *some)
    assert names(folder) == ["a", "b", "c", "d"]
    return folder


def names(folder: Path) -> list[str]:
    return [row.path for row in indexed(folder)]


def file_of(folder: Path) -> Path:
    with ArchiveIndex.open(folder) as index:
        assert index.file is not None
        return index.file


@pytest.mark.parametrize("damage", ["rubbish", "cut", "empty", "other tables", "old schema", "zeros inside", "no rows"])
def test_a_damaged_file_is_made_anew(folder: Path, damage: str) -> None:
    """Whatever is wrong with it, the answer is right and the next one quick again."""
    file = file_of(folder)
    data = file.read_bytes()
    if damage == "rubbish":
        file.write_bytes(b"rubbish" * 1000)
    elif damage == "cut":
        file.write_bytes(data[: len(data) // 2])
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "zeros inside":
        file.write_bytes(data[:4096] + bytes(len(data) - 8192) + data[-4096:])
    else:
        connection = sqlite3.connect(file)
        change = {
            "other tables": "DROP TABLE picture",
            "old schema": "UPDATE about SET value = '0 0.0.0' WHERE name = 'made_by'",
            "no rows": "UPDATE picture SET source_sha256 = 7",
        }[damage]
        connection.execute(change)
        connection.commit()
        connection.close()
    assert names(folder) == ["a", "b", "c", "d"]
    assert file_of(folder) == file
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT count(*) FROM picture").fetchone() == (5,)
    connection.close()


def test_a_file_that_fails_on_the_way_is_replaced_on_the_way(folder: Path) -> None:
    """Rows that were given out are not given out again, and none is left out."""
    with ArchiveIndex.open(folder) as index:
        rows = index.rows()
        found = [next(rows).path]
        index._database._connection.close()
        found += [row.path for row in rows]
        assert found == ["a", "b", "c", "d"]
        assert index.count() == 4


def test_a_locked_file_is_done_without(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that writes for long keeps nobody from an answer."""
    monkeypatch.setattr(schema, "WAIT_SECONDS", 0.05)
    file = file_of(folder)
    add(folder, "e")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ArchiveIndex.open(folder) as index:
        assert index.file is None
        assert [row.path for row in index.rows()] == ["a", "b", "c", "d", "e"]
    other.execute("ROLLBACK")
    other.close()
    assert file_of(folder) == file


def test_a_new_file_that_another_process_is_making_is_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite says at once that it is locked, and not for how long: a process that is stopped in it may take a while."""
    file = file_of(folder)
    place.discard(file)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    real, waits = time.sleep, list[float]()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 100:
            other.execute("ROLLBACK")
        real(0)

    monkeypatch.setattr(database.time, "sleep", sleep)
    with ArchiveIndex.open(folder) as index:
        assert index.file == file
        assert [row.path for row in index.rows()] == ["a", "b", "c", "d"]
    other.close()
    assert len(waits) == 100


_HOLD = """
import sys
from pathlib import Path
from batchcomp.index import ArchiveIndex
with ArchiveIndex.open(Path(sys.argv[1])) as index:
    print(index.file, flush=True)
    sys.stdin.read()
    print(*(row.path for row in index.rows()))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no file that is open")
def test_what_another_process_has_open_is_not_deleted(folder: Path) -> None:
    """A file that is damaged, and one that is old: whoever finds it does without while another process has it open."""
    file = file_of(folder)
    command = [sys.executable, "-c", _HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == str(file)
        inode = file.stat().st_ino
        changed(file, "UPDATE about SET value = '0 0.0.0' WHERE name = 'made_by'")
        with ArchiveIndex.open(folder) as index:
            assert index.file is None
            assert [row.path for row in index.rows()] == ["a", "b", "c", "d"]
        assert not place.discard(file)
        with pytest.raises(ArchiveLockedError, match="another process uses its index"):
            ArchiveIndex.open(folder, rebuild=True)
        assert file.stat().st_ino == inode
        assert other.communicate()[0].split() == ["a", "b", "c", "d"]
    assert names(folder) == ["a", "b", "c", "d"]
    assert file_of(folder) == file
    assert place.discard(file)
    assert not list(file.parent.iterdir())


def test_two_of_one_process_do_not_take_each_others_locks(folder: Path) -> None:
    """Whoever opens an index leaves SQLite's locks of this process on it as they are, and so another process out."""
    file = file_of(folder)
    with ArchiveIndex.open(folder) as index:
        index._database._connection.execute("ROLLBACK")
        index._database._connection.execute("BEGIN IMMEDIATE")
        ask = f"import sqlite3; sqlite3.connect({str(file)!r}, timeout=0).execute('PRAGMA journal_mode = DELETE')"
        with ArchiveIndex.open(folder):
            found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
        assert "database is locked" in found.stderr
        index._database._connection.execute("ROLLBACK")


@pytest.mark.parametrize("number", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM])
def test_no_room_is_no_fault_of_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A disk or a memory that is full for a moment costs nobody an index that took long to make."""
    file = file_of(folder)
    inode = file.stat().st_ino

    def full(_connection: sqlite3.Connection, _taken: database.Taken) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = number
        raise error

    add(folder, "e")
    with monkeypatch.context() as patched:
        patched.setattr(database, "take_in", full)
        with pytest.raises(ArchiveError, match="its index cannot be made"):
            ArchiveIndex.open(folder)
    assert file.stat().st_ino == inode
    assert names(folder) == ["a", "b", "c", "d", "e"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written_is_done_without(folder: Path, cache_folder: Path) -> None:
    """Read-only homes, as services have them, cost time and no more."""
    file_of(folder).unlink()
    cache_folder.chmod(0o500)
    (cache_folder / "batchcomp").chmod(0o500)
    (cache_folder / "batchcomp/index").chmod(0o500)
    assert names(folder) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("hinders", ["a file", "no home"])
def test_a_cache_that_cannot_be_made_is_done_without(
    folder: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch, hinders: str
) -> None:
    """Where no file can lie, the index is a private one."""
    if hinders == "a file":
        (cache_folder / "file").write_bytes(b"")
        monkeypatch.setenv("XDG_CACHE_HOME", str(cache_folder / "file"))
    else:

        def homeless(*_: object, **__: object) -> Path:
            raise RuntimeError("Could not determine home directory.")

        monkeypatch.setattr(place, "user_cache_path", homeless)
    with ArchiveIndex.open(folder) as index:
        assert index.file is None
        assert index.count() == 4


def test_a_full_disk_is_done_without(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written is kept in memory."""
    file_of(folder).unlink()
    real, tried = database.connect, list[object]()

    def full(where: Path | str, archive: str) -> sqlite3.Connection:
        tried.append(where)
        if where != ":memory:":
            raise sqlite3.OperationalError("database or disk is full")
        return real(where, archive)

    monkeypatch.setattr(database, "connect", full)
    assert names(folder) == ["a", "b", "c", "d"]
    assert tried[-2:] == ["", ":memory:"]


def test_a_first_load_that_was_killed_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each segment that was taken in stays; the links and indexes are made at the end."""
    file_of(folder).unlink()
    real, taken = database.take_in, list[int]()

    def killed(connection: sqlite3.Connection, one: database.Taken) -> None:
        if len(taken) == 2:
            raise KeyboardInterrupt
        taken.append(one.number)
        real(connection, one)

    monkeypatch.setattr(database, "take_in", killed)
    with pytest.raises(KeyboardInterrupt):
        indexed(folder)
    taken.clear()
    assert names(folder) == ["a", "b", "c", "d"]
    assert taken == [3]
    connection = sqlite3.connect(file_of(folder))
    made = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    connection.close()
    assert made >= set(INDEXES)


def test_several_look_at_once(folder: Path) -> None:
    """Threads, as processes, that all find the index stale take each segment in once, and all see the same."""
    file_of(folder).unlink()
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append(names(folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["a", "b", "c", "d"]] * 4


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_it_is_nobody_elses_business(folder: Path) -> None:
    """Names of pictures are as private as the archive."""
    file = file_of(folder)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_what_nobody_asks_for_is_forgotten(folder: Path, tmp_path: Path) -> None:
    """An index that was not used for a season goes when another one is used."""
    old = file_of(folder)
    os.utime(old, (time.time() - 91 * 24 * 3600,) * 2)
    add(tmp_path / "y.bca", "y")
    assert names(tmp_path / "y.bca") == ["y"]
    assert not old.exists()


@pytest.mark.parametrize(
    "change",
    [
        "path = 'wrong'",
        "payload_sha256 = zeroblob(32)",
        "mtime_s = 5",
        "permissions = 511",
        "id = id + 1000",
    ],
)
def test_what_a_manifest_denies_is_not_believed(folder: Path, change: str) -> None:
    """Who restores gets rows as the manifests have them, however the index came to say something else."""
    file = file_of(folder)
    connection = sqlite3.connect(file)
    connection.execute(f"UPDATE picture SET {change} WHERE path = 'c'")  # noqa: S608  # our own words
    connection.commit()
    connection.close()
    with ArchiveIndex.open(folder) as index:
        assert list(index.originals()) == read(folder)
    assert indexed(folder) == read(folder)


def test_it_can_be_made_anew(folder: Path) -> None:
    """On demand all is read again, though nothing seems to be wrong."""
    told: list[tuple[int, int]] = []
    with ArchiveIndex.open(folder, told=lambda *counts: told.append(counts)):
        assert told == []
    with ArchiveIndex.open(folder, rebuild=True, told=lambda *counts: told.append(counts)) as index:
        assert [row.path for row in index.rows()] == ["a", "b", "c", "d"]
    assert told == [(0, 3), (1, 3), (2, 3)]


def changed(file: Path, *statements: str) -> None:
    """Change an index as no program of ours would."""
    connection = sqlite3.connect(file)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def answers(folder: Path) -> list[object]:
    """Return what every question to an index says."""
    with ArchiveIndex.open(folder) as index:
        found: list[object] = [
            list(index.rows()),
            list(index.originals()),
            list(index.stored()),
            list(index.versions()),
        ]
        found += [index.count(), index.tally(), index.worst(), index.bytes_on_disk(), index.created, index.damage()]
        found += [list(index.paths()), index.relatives(["a", "b"], CURRENT), index.manner(index_manner(index))]
    return found


def index_manner(index: ArchiveIndex) -> int:
    return next(iter(index.stored())).manner


_ROW_77 = f"INSERT INTO picture VALUES (77{', 77' * 27})"  # noqa: S608  # ours


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_ROW_77, id="a row under the number of no segment"),
        *(
            pytest.param(f"UPDATE {table} SET {column} = {value}", id=f"{table} {column} {value}")  # noqa: S608  # ours
            for table, columns in {
                "picture": (
                    *("path", "next", "family", "manner", "entry", "owner_segment", "source_bytes", "mtime_s"),
                    *("source_sha256", "width", "ms_ssim", "jpeg_quality", "seconds", "pixels_sha256", "seal"),
                ),
                "manner": ("stored", "quality", "model", "seal"),
                "segment": ("identity", "size", "created", "tally", "worst", "worst_id", "seal"),
            }.items()
            for column in columns
            for value in ("77", "'77'", "x'ff'", "1e300")
        ),
        "UPDATE segment SET number = number + 1000",
        "UPDATE segment SET number = 1 << 50 WHERE number = 1",
        "UPDATE segment SET number = -1 WHERE number = 1",
        "UPDATE picture SET id = id + 1000 WHERE path = 'd'",
        "UPDATE picture SET id = -77 WHERE path = 'd'",
        "DELETE FROM manner",
        "DELETE FROM picture",
        "UPDATE picture SET next = 77 WHERE path = 'a'",
        "DELETE FROM segment",
        "DELETE FROM about WHERE name = 'loading'",
        "UPDATE about SET value = 77 WHERE name = 'loading'",
        "UPDATE picture SET path = CAST(x'ff' AS TEXT)",
        "INSERT INTO folder VALUES (0, 77)",
    ],
)
def test_garbage_in_a_row_changes_no_answer(folder: Path, change: str) -> None:
    """Columns of another type or value, rows where none belong, rows that are gone: it is made anew."""
    whole = answers(folder)
    changed(file_of(folder), change)
    assert answers(folder) == whole


@pytest.mark.parametrize("change", ["next = 77 WHERE path = 'c'", "next = NULL", "next = next + 1"])
def test_what_is_taken_for_another_version_is_missed(folder: Path, change: str) -> None:
    """A filter, or a moment, finds a picture though the index says that a later version took its place."""
    where, then = parse("width > 0", lambda _: 0), up_to(ids_of(1)[1])
    with ArchiveIndex.open(folder) as index:
        whole = [list(index.rows(where & CURRENT)), list(index.rows(then))]
    changed(file_of(folder), f"UPDATE picture SET {change}")  # noqa: S608  # ours
    with ArchiveIndex.open(folder) as index:
        index.check_versions()
        assert [list(index.rows(where & CURRENT)), list(index.rows(then))] == whole
        assert index.file is not None


@pytest.mark.parametrize("table", ["picture", "segment", "manner", "about", "by_path", "by_family"])
def test_a_page_of_garbage_changes_no_answer(folder: Path, table: str) -> None:
    """Whatever the page held: the root of a table or of one of SQLite's own indexes."""
    whole = answers(folder)
    file = file_of(folder)
    connection = sqlite3.connect(file)
    ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,))
    ((size,),) = connection.execute("PRAGMA page_size")
    connection.close()
    data = bytearray(file.read_bytes())
    data[(page - 1) * size : page * size] = b"\x5a" * size
    file.write_bytes(data)
    assert answers(folder) == whole


def test_the_index_of_another_archive_is_not_taken(folder: Path, tmp_path: Path) -> None:
    """Copied over this one's, it is made anew, and the other one's own stays as it is."""
    other = tmp_path / "other.bca"
    add(other, "x", "y")
    assert names(other) == ["x", "y"]
    file_of(folder).write_bytes(file_of(other).read_bytes())
    assert names(folder) == ["a", "b", "c", "d"]
    assert names(other) == ["x", "y"]


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EIO])
def test_a_cache_that_refuses_is_done_without(folder: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Read-only, full or broken: the answer comes from a private index, and the commands go on."""
    whole, real = answers(folder), os.open

    def refuse(path: object, *arguments: int) -> int:
        if str(path).endswith(".sqlite"):
            raise OSError(number, os.strerror(number))
        return real(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(schema.os, "open", refuse)
    with ArchiveIndex.open(folder) as index:
        assert index.file is None
    assert answers(folder) == whole


def test_a_disk_that_fills_up_while_a_segment_is_taken_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite says that it is full in the middle of a transaction: what is asked is answered, and nothing is half."""
    real, limited = database.connect, list[int]()

    def small(where: Path | str, archive: str) -> sqlite3.Connection:
        connection = real(where, archive)
        if isinstance(where, Path):
            ((pages,),) = connection.execute("PRAGMA page_count")
            connection.execute(f"PRAGMA max_page_count = {pages}")
            limited.append(pages)
        return connection

    add(folder, *(f"{number:04}" for number in range(200)))
    monkeypatch.setattr(database, "connect", small)
    with ArchiveIndex.open(folder) as index:
        assert index.count() == 204
        assert index.file is None
    assert limited
    monkeypatch.undo()
    assert names(folder) == [row.path for row in read(folder)]


_LOOK = """
import sys
from pathlib import Path
from batchcomp.index import ArchiveIndex
for number in range(20):
    with ArchiveIndex.open(Path(sys.argv[1])) as index:
        if index.count() != len(list(index.rows())):
            sys.exit("one answer says otherwise than another")
        if index.file is None:
            sys.exit("the file is not used")
"""


def test_two_processes_at_once(folder: Path) -> None:
    """Both look while segments come: each sees whole segments, and both use the same file."""
    file_of(folder).unlink()
    command = [sys.executable, "-c", _LOOK, str(folder)]
    looking = [subprocess.Popen(command) for _ in range(2)]
    for number in range(5):
        add(folder, f"new {number}")
    assert [process.wait() for process in looking] == [0, 0]
    with ArchiveIndex.open(folder) as index:
        assert index.file == file_of(folder)
    assert names(folder) == [row.path for row in read(folder)]
