"""What goes into an archive comes out of it."""

from __future__ import annotations

import json
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchcomp.archive import Archive, ArchiveWriter, verify
from batchcomp.archive.layout import LOCAL, ZipEntry, directory, dos_stamp, local_header, parse_recovery
from batchcomp.archive.names import name_problem
from batchcomp.errors import ArchiveNotFoundError, PictureError
from batchcomp.kinds import KINDS, Kind

from .samples import sample_row, three_pictures, verbatim_row, write_archive


def test_rows_and_payloads_come_back(tmp_path: Path) -> None:
    """Rows come back equal and in order, payloads byte for byte, and verify is content."""
    written = three_pictures(tmp_path / "x.bca")
    archive = Archive.open(tmp_path / "x.bca")
    assert list(archive.rows()) == written
    assert archive.read(written[1]) == b"second payload" * 10
    assert (written[0].entry, written[1].entry) == ("photos/a.png.jpg", "photos/ü 1.tif")
    report = verify(tmp_path / "x.bca")
    assert report.ok
    assert (report.segments, report.entries, report.bytes) == (1, 3, archive.bytes_on_disk())


def test_other_zip_tools_read_a_segment(tmp_path: Path) -> None:
    """A segment is a plain ZIP file: the standard library and unzip find nothing to complain about."""
    three_pictures(tmp_path / "x.bca")
    path = tmp_path / "x.bca" / "000001.zip"
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[-1] == "batchcomp-manifest.jsonl"
        assert archive.infolist()[0].date_time == (2023, 11, 14, 22, 13, 20)
        lines = [json.loads(line) for line in archive.read("batchcomp-manifest.jsonl").splitlines()]
    assert [line["type"] for line in lines] == ["segment", "picture", "picture", "picture", "end"]
    subprocess.run(["unzip", "-tqq", path], check=True)


def test_identical_runs_give_identical_bytes(tmp_path: Path) -> None:
    """Nothing but the recorded times may differ between two runs."""
    three_pictures(tmp_path / "x.bca")
    three_pictures(tmp_path / "y.bca")
    first, second = ((tmp_path / name / "000001.zip").read_bytes() for name in ("x.bca", "y.bca"))
    assert first == second


def test_later_rows_supersede(tmp_path: Path) -> None:
    """The last row of a path counts, within a segment and across segments; the order stays stable."""
    folder = tmp_path / "x.bca"
    write_archive(folder, [(sample_row("a"), b"1"), (sample_row("b"), b"2"), (sample_row("a"), b"3")])
    write_archive(folder, [(sample_row("c"), b"4"), (sample_row("b"), b"5")])
    archive = Archive.open(folder)
    assert [(row.path, archive.read(row)) for row in archive.rows()] == [("a", b"3"), ("c", b"4"), ("b", b"5")]
    assert len(list(archive.all_rows())) == 5
    assert verify(folder).entries == 5


def test_clashing_names_become_unique(tmp_path: Path) -> None:
    """Entries of one segment differ even where upper and lower case count as one."""
    names = ["a.png", "A.PNG", "a.png.jpg", "x/.hidden", "x/.hidden"]
    pictures = [(verbatim_row(name) if name.endswith("jpg") else sample_row(name), name.encode()) for name in names]
    rows = write_archive(tmp_path / "x.bca", pictures)
    entries = ["a.png.jpg", "A.PNG~2.jpg", "a.png~3.jpg", "x/.hidden.jpg", "x/.hidden~2.jpg"]
    assert [row.entry for row in rows] == entries
    archive = Archive.open(tmp_path / "x.bca")
    assert all(archive.read(row) == row.path.encode() for row in rows)


def test_the_manifest_name_is_taken(tmp_path: Path) -> None:
    """A source that is called like the manifest is archived under another entry name."""
    (row,) = write_archive(tmp_path / "x.bca", [(verbatim_row("batchcomp-manifest.jsonl"), b"mine")])
    assert row.entry == "batchcomp-manifest~2.jsonl"
    assert Archive.open(tmp_path / "x.bca").read(row) == b"mine"


def test_longest_file_names_fit(tmp_path: Path) -> None:
    """A name of 255 bytes stays archivable though ".jpg" would make its entry too long to unzip."""
    (row,) = write_archive(tmp_path / "x.bca", [(sample_row("ü" * 127 + "x"), b"data")])
    assert len(row.entry.encode()) <= 255
    assert row.entry.endswith(".jpg")
    assert verify(tmp_path / "x.bca").ok


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(names, st.booleans(), st.binary(max_size=300)), max_size=6))
def test_any_names_and_bytes(tmp_path_factory: pytest.TempPathFactory, items: list[tuple[str, bool, bytes]]) -> None:
    """Whatever the writer takes is there afterwards; what it does not take is a PictureError and nothing else."""
    folder, kept = tmp_path_factory.mktemp("any") / "x.bca", {}
    with ArchiveWriter(folder, segment_bytes=1500) as writer:
        for name, plain, data in items:
            row = verbatim_row(name) if plain else sample_row(name)
            if name_problem(name):
                with pytest.raises(PictureError, match="cannot be archived"):
                    writer.add(row, data)
                continue
            kept[name] = writer.add(row, data), data
    if not kept:
        assert not folder.exists()
        return
    archive = Archive.open(folder)
    assert {row.path: (row, archive.read(row)) for row in archive.rows()} == kept
    assert verify(folder).ok


def test_local_headers_carry_what_repair_needs(tmp_path: Path) -> None:
    """Sizes, checksum and the recovery field stand before each payload, so a lost directory loses no picture."""
    row = three_pictures(tmp_path / "x.bca")[0]
    data = (tmp_path / "x.bca" / "000001.zip").read_bytes()
    _, _, flags, method, _, _, crc, packed, size, name, extra = LOCAL.unpack(data[: LOCAL.size])
    payload = data[LOCAL.size + name + extra :][:size]
    assert (flags, method, packed, size) == (0x0800, 0, row.payload_bytes, row.payload_bytes)
    assert crc32(payload) == crc
    recovery = parse_recovery(data[LOCAL.size + name :][:extra])
    assert recovery == (1, 0, row.permissions, row.source_bytes, row.mtime_ns, row.source_sha256)
    assert extra == 58


@pytest.mark.parametrize(
    ("mtime_ns", "moment"),
    [
        (-(2**63), (1980, 1, 1, 0, 0, 0)),
        (0, (1980, 1, 1, 0, 0, 0)),
        (1_700_000_001_999_999_999, (2023, 11, 14, 22, 13, 20)),
        (2**63 - 1, (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_times_are_clamped(mtime_ns: int, moment: tuple[int, ...]) -> None:
    """The DOS stamp is UTC, rounded down to 2 s, and never leaves 1980..2107."""
    date, time = dos_stamp(mtime_ns)
    stamp = (1980 + (date >> 9), date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2)
    assert stamp == moment


def test_zip64_where_needed(tmp_path: Path) -> None:
    """Offsets beyond 4 GiB and more than 65,534 entries are written so that the standard library reads them."""
    far = ZipEntry(name="far", size=4, crc=crc32(b"data"), offset=2**32 + 5, date=33, time=0)
    many = [ZipEntry(name=str(n), size=0, crc=0, offset=0, date=33, time=0) for n in range(70_000)]
    with (tmp_path / "far.zip").open("wb") as file:  # sparse
        file.seek(far.offset)
        file.write(local_header(far) + b"data" + directory([*many, far], far.end))
    with zipfile.ZipFile(tmp_path / "far.zip") as archive:
        assert len(archive.infolist()) == 70_001
        assert archive.read("far") == b"data"


def test_segments_rotate_by_size(tmp_path: Path) -> None:
    """A segment is committed once it is large enough, so that a crash loses a bounded amount."""
    with ArchiveWriter(tmp_path / "x.bca", segment_bytes=5000) as writer:
        for number in range(3):
            writer.add(sample_row(f"{number}.png"), bytes(2500))
        assert len(list(Archive.open(tmp_path / "x.bca").rows())) == 2
    assert [row.segment for row in Archive.open(tmp_path / "x.bca").rows()] == [1, 1, 2]


def test_segments_rotate_by_time(tmp_path: Path) -> None:
    """A segment that is old enough is committed with the next picture."""
    with ArchiveWriter(tmp_path / "x.bca", segment_seconds=0) as writer:
        writer.add(sample_row(), b"data")
        assert (tmp_path / "x.bca" / "000001.zip").exists()


def test_nothing_added_leaves_nothing(tmp_path: Path) -> None:
    """An empty run leaves no folder behind, yet never removes one that was there."""
    with ArchiveWriter(tmp_path / "x.bca"):
        assert (tmp_path / "x.bca").is_dir()
    assert not (tmp_path / "x.bca").exists()
    (tmp_path / "y.bca").mkdir()
    with ArchiveWriter(tmp_path / "y.bca") as writer:
        writer.commit()
    assert (tmp_path / "y.bca").is_dir()


def test_not_an_archive(tmp_path: Path) -> None:
    """Where there is no archive the error says so and has exit code 10."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    for name, words in (("none", "no such archive"), ("file", "is a file"), ("empty", "no finished segment")):
        with pytest.raises(ArchiveNotFoundError, match=words) as caught:
            Archive.open(tmp_path / name)
        assert caught.value.exit_code == 10


def test_unknown_kinds_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of a later version can be listed, read and checked; only decoding it is beyond this one."""
    with monkeypatch.context() as patch:
        patch.setitem(KINDS, "novel", Kind(code=9, suffix=".bcp"))  # type: ignore[arg-type]  # read-only for users
        write_archive(tmp_path / "x.bca", [(replace(sample_row(), stored="novel"), b"data"), (sample_row("b"), b"b")])
    archive = Archive.open(tmp_path / "x.bca")
    row = next(archive.rows())
    assert (row.stored, archive.read(row), archive.damage) == ("novel", b"data", [])
    assert verify(tmp_path / "x.bca").ok
