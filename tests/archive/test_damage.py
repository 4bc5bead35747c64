"""Damage is always found, always named, and never stops the sound parts."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchcomp.archive import Archive, ArchiveWriter, Row, verify
from batchcomp.archive.rows import json_line, parse_line, row_from_json, row_line, with_crc
from batchcomp.errors import ArchiveDamagedError, ArchiveError

from .samples import sample_row, three_pictures, write_archive

MANIFEST = "batchcomp-manifest.jsonl"


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    three_pictures(tmp_path / "x.bca")
    return tmp_path / "x.bca" / "000001.zip"


def flip(path: Path, position: int) -> None:
    """Change one bit of one byte."""
    data = bytearray(path.read_bytes())
    data[position] ^= 0x10
    path.write_bytes(data)


def payloads(folder: Path) -> dict[str, bytes]:
    """Return what can still be read; damage may stop a picture, never change it."""
    found, archive = {}, Archive.open(folder)
    for row in archive.rows():
        try:
            found[row.path] = archive.read(row)
        except ArchiveDamagedError as error:
            assert "000001.zip" in str(error)  # noqa: PT017
    return found


def test_every_flipped_byte_is_found(segment: Path) -> None:
    """A flipped bit in any byte of a segment is damage to verify, and no reader is given wrong bytes."""
    sound, right = segment.read_bytes(), payloads(segment.parent)
    for position in range(0, len(sound), 5):
        flip(segment, position)
        assert not verify(segment.parent).ok, position
        if position % 2:
            assert payloads(segment.parent).items() <= right.items(), position
        segment.write_bytes(sound)


def test_every_truncation_is_found(segment: Path) -> None:
    """A segment cut off anywhere is damage that names the segment, and never a crash."""
    sound = segment.read_bytes()
    for size in range(0, len(sound), 37):
        segment.write_bytes(sound[:size])
        assert [damage.segment for damage in Archive.open(segment.parent).damage] == ["000001.zip"]
        assert not verify(segment.parent).ok
    segment.write_bytes(sound + b"\0")
    assert not verify(segment.parent).ok


def test_a_damaged_payload_stops_only_itself(segment: Path) -> None:
    """The error names segment and entry; the other pictures are read as before."""
    flip(segment, segment.read_bytes().index(b"second payload"))
    archive = Archive.open(segment.parent)
    rows = list(archive.rows())
    assert archive.damage == []
    with pytest.raises(ArchiveDamagedError, match=r"000001\.zip: 'photos/ü 1\.tif': the payload is damaged") as error:
        archive.read(rows[1])
    assert error.value.exit_code == 4
    assert archive.read(rows[0]).startswith(b"first")
    seen: list[tuple[str, bool]] = []
    report = verify(segment.parent, on_entry=lambda row, damage: seen.append((row.path, damage is None)))
    assert seen == [("photos/a.png", True), ("photos/ü 1.tif", False), ("b.jpg", True)]
    assert [damage.entry for damage in report.damage] == ["photos/ü 1.tif"]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (b"photos/a.png.jpg", "name it differently"),
        (b"bc\x36\x00", "local header is damaged"),
        (b"first payload", "payload is damaged"),
        (b'"width":768', "manifest is damaged"),
        (b"PK\x01\x02", "not a complete ZIP"),
        (b"PK\x05\x06", "not a complete ZIP"),
    ],
)
def test_damage_is_described(segment: Path, where: bytes, words: str) -> None:
    """Each region has its own words, so that a person knows what is lost."""
    flip(segment, segment.read_bytes().index(where) + 2)
    assert any(words in damage.reason for damage in verify(segment.parent).damage)


def test_a_damaged_segment_does_not_stop_the_others(tmp_path: Path) -> None:
    """Pictures of the sound segments are listed and read although one cannot be opened."""
    folder = tmp_path / "x.bca"
    for number in range(3):
        write_archive(folder, [(sample_row(f"{number}.png"), b"data")])
    (folder / "000002.zip").write_bytes(b"rubbish")
    archive = Archive.open(folder)
    assert [row.path for row in archive.rows()] == ["0.png", "2.png"]
    assert [str(damage)[:10] for damage in archive.damage] == ["000002.zip"]


def test_a_missing_segment_is_damage(tmp_path: Path) -> None:
    """Numbers have no gaps, so a lost segment is noticed; a renamed one is not taken for it."""
    folder = tmp_path / "x.bca"
    for number in range(3):
        write_archive(folder, [(sample_row(f"{number}.png"), b"data")])
    (folder / "000002.zip").unlink()
    assert [(found.segment, found.reason) for found in verify(folder).damage] == [
        ("000002.zip", "the segment is missing")
    ]
    assert len(Archive.open(folder).damage) == 1
    (folder / "000003.zip").rename(folder / "000002.zip")
    assert "it is number 3" in verify(folder).damage[0].reason


# --- segments that other programs made: well-formed ZIP files with content that no writer of ours would write


def picture(**fields: Any) -> dict[str, Any]:
    """Return the JSON object of a sound row whose payload is b"data"."""
    digest = "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"
    row = sample_row("a.png", entry="a.png.jpg", payload_bytes=4, payload_sha256=digest)
    value = json.loads(row_line(row))
    del value["crc"]  # each line gets its own
    return {**value, **fields}


def forge(folder: Path, rows: list[dict[str, Any]], entries: list[tuple[str, bytes]], **header: Any) -> None:
    """Write a segment with the standard library."""
    folder.mkdir()
    first = {"type": "segment", "format": "batchcomp-archive", "version": 1, "segment": 1, **header}
    last = {"type": "end", "pictures": len(rows)}
    lines = [json_line(first), *(with_crc(json_line(row)) for row in rows), json_line(last)]
    with zipfile.ZipFile(folder / "000001.zip", "w") as archive:
        for name, data in [*entries, (MANIFEST, b"".join(lines))]:
            archive.writestr(zipfile.ZipInfo(name), data)


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    """Reader, verify and writer say which version it is and what to do."""
    folder = tmp_path / "x.bca"
    forge(folder, [picture()], [("a.png.jpg", b"data")], version=2)
    for attempt in (lambda: Archive.open(folder), lambda: verify(folder), ArchiveWriter(folder).__enter__):
        with pytest.raises(ArchiveError, match="archive version 2: this build reads up to 1; upgrade batchcomp"):
            attempt()


def test_unknown_fields_and_lines_are_passed_over(tmp_path: Path) -> None:
    """What a later minor version adds does not disturb this one."""
    rows = [picture(colour="blue"), picture(path="c.png")]
    forge(tmp_path / "x.bca", rows, [("a.png.jpg", b"data")], novelty=1)
    archive = Archive.open(tmp_path / "x.bca")
    assert [row.path for row in archive.rows()] == ["a.png", "c.png"]
    assert archive.damage == []
    assert archive.read(next(archive.rows())) == b"data"


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "../a.png"},
        {"path": "/a.png"},
        {"path": "C:/a.png"},
        {"entry": MANIFEST},
        {"entry": 7},
        {"stored": "../x"},
        {"width": -1},
        {"width": True},
        {"width": 1.5},
        {"quality": 101},
        {"mtime_ns": 2**63},
        {"permissions": 0o10000},
        {"payload_sha256": "AB" * 32},
        {"model": "abc"},
        {"ms_ssim": 1e999},
        {"ms_ssim": "0.9"},
        {"seconds": None},
        {"reason": "x" * 1001},
        {"mode": "\ud800"},
        {"jpeg": {"quality": 0, "bytes": 1, "ms_ssim": 0.5, "bytes_at_ms_ssim": None}},
        {"jpeg": [1]},
        {"jpeg": {}},
    ],
)
def test_hostile_rows_are_left_out(tmp_path: Path, fields: dict[str, Any]) -> None:
    """A row that breaks a rule is damage of its own; its neighbour is served."""
    with pytest.raises(ValueError, match=next(iter(fields))):
        row_from_json({**picture(), **fields}, 1)
    value = with_crc(json.dumps({**picture(path="bad.png"), **fields}, separators=(",", ":")).encode() + b"\n")
    forge(tmp_path / "x.bca", [picture()], [("a.png.jpg", b"data")])
    repack(tmp_path / "x.bca" / "000001.zip", lambda data: add_line(data, value))
    archive = Archive.open(tmp_path / "x.bca")
    assert [row.path for row in archive.rows()] == ["a.png"]
    assert [damage.reason[:5] for damage in archive.damage] == ["a row"]
    assert "crc" not in archive.damage[0].reason


def test_a_row_without_checksum_is_damage(tmp_path: Path) -> None:
    """Every row proves itself: one that lacks its own checksum is not used."""
    forge(tmp_path / "x.bca", [picture()], [("a.png.jpg", b"data")])
    repack(tmp_path / "x.bca" / "000001.zip", lambda data: add_line(data, json_line(picture(path="bad.png"))))
    archive = Archive.open(tmp_path / "x.bca")
    assert [row.path for row in archive.rows()] == ["a.png"]
    assert "no checksum" in archive.damage[0].reason


def add_line(manifest: bytes, line: bytes) -> bytes:
    """Put a picture line before the end line and count it."""
    lines = manifest.splitlines(keepends=True)
    return b"".join([*lines[:-1], line, lines[-1].replace(b'"pictures":1', b'"pictures":2')])


def repack(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Write the segment again with a changed manifest."""
    with zipfile.ZipFile(path) as archive:
        parts = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts:
            archive.writestr(zipfile.ZipInfo(name), change(data) if name == MANIFEST else data)


@pytest.mark.parametrize(
    "line",
    [b'{"type":"picture",' + b"[" * 50_000, b'{"type":"picture","a":NaN}', b'{"type":"picture",\xff}', b"x" * 70_000],
)
def test_hostile_lines_are_value_errors(line: bytes) -> None:
    """Deep nesting, NaN, bad UTF-8 and endless lines end as one kind of error."""
    with pytest.raises(ValueError):
        parse_line(line)


def test_hostile_entries_are_left_out(tmp_path: Path) -> None:
    """Entries with unsafe names, unlisted entries and rows without an entry are each named."""
    folder = tmp_path / "x.bca"
    rows = [picture(), picture(path="gone.png", entry="gone.png.jpg")]
    forge(folder, rows, [("a.png.jpg", b"data"), ("../evil.jpg", b"evil"), ("more.jpg", b"more")])
    assert [damage.entry for damage in Archive.open(folder).damage] == ["../evil.jpg"]
    found = {damage.entry: damage.reason for damage in verify(folder).damage}
    assert "not allowed" in found["../evil.jpg"]
    assert "not in the manifest" in found["more.jpg"]
    assert "missing" in found["gone.png.jpg"]


def test_two_rows_of_one_entry_are_damage(tmp_path: Path) -> None:
    """Each entry has one row, or a picture would be shown under a name that it never had."""
    forge(tmp_path / "x.bca", [picture(), picture(path="c.png")], [("a.png.jpg", b"data")])
    assert any("two rows" in damage.reason for damage in verify(tmp_path / "x.bca").damage)


def test_compressed_entries_are_refused(tmp_path: Path) -> None:
    """Nothing is ever inflated, so there are no decompression bombs."""
    forge(tmp_path / "x.bca", [picture()], [("a.png.jpg", b"data")])
    path = tmp_path / "x.bca" / "000001.zip"
    with zipfile.ZipFile(path) as archive:
        manifest = archive.read(MANIFEST)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.png.jpg"), bytes(10**6), compress_type=zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo(MANIFEST), manifest)
    archive_read = Archive.open(path.parent)
    assert "compressed" in archive_read.damage[0].reason
    with pytest.raises(ArchiveDamagedError, match="missing or unusable"):
        archive_read.read(next(archive_read.rows()))


def test_overlapping_entries_are_refused(segment: Path) -> None:
    """A directory that claims more bytes than lie before the next entry is not followed."""
    data = bytearray(segment.read_bytes())
    start = data.index(b"PK\x01\x02")
    data[start + 20 : start + 28] = (10**9).to_bytes(4, "little") * 2
    segment.write_bytes(data)
    assert "reaches into" in Archive.open(segment.parent).damage[0].reason


def test_a_damaged_newer_row_hides_the_older(tmp_path: Path) -> None:
    """An old version of a picture is never passed off as the current one."""
    forge(tmp_path / "x.bca", [picture()], [("a.png.jpg", b"data")])
    line = with_crc(json_line(picture(entry="a.png~2.jpg", width=-1)))
    repack(tmp_path / "x.bca" / "000001.zip", lambda data: add_line(data, line))
    archive = Archive.open(tmp_path / "x.bca")
    assert list(archive.rows()) == []
    assert "width" in archive.damage[0].reason


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 10**4), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4))
def test_random_damage_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, bytes]]
) -> None:
    """Whatever is overwritten, opening, listing and verifying end with damage or an ArchiveError, nothing else."""
    folder = tmp_path_factory.mktemp("random") / "x.bca"
    three_pictures(folder)
    sound = (folder / "000001.zip").read_bytes()
    data = bytearray(sound)
    for position, new in changes:
        at = position % len(data)
        data[at : at + len(new)] = new[: len(data) - at]
    (folder / "000001.zip").write_bytes(data)
    right = {b"first payload" * 20, b"second payload" * 10, b"third payload" * 5}
    try:
        assert set(payloads(folder).values()) <= right
        assert verify(folder).ok == (bytes(data) == sound)
    except ArchiveError as error:
        assert "version" in str(error)  # noqa: PT017  # a version is the one thing that stops everything


def test_the_checksum_is_the_standard_one() -> None:
    """The forged rows above speak of b"data"."""
    row = row_from_json(picture(), 1)
    assert isinstance(row, Row)
    assert crc32(b"data") == 0xADF3F363
