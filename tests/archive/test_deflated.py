"""A manifest deflated in its entry: any tool reads it, and damage costs the rows of its own block only."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, ArchiveWriter, repair, verify
from batchcomp.archive.deflated import STORED_UP_TO, deflated, inflated, texts
from batchcomp.archive.names import MANIFEST_NAME
from batchcomp.archive.rows import Row
from batchcomp.archive.segment import open_segment, quick_manifest
from tests.archive.forge import flip
from tests.archive.samples import sample_row

LINES = [b'{"type":"picture","path":"%06d","noise":"%08x"}\n' % (i, zlib.crc32(b"%d" % i)) for i in range(9000)]
TEXT = b"".join(LINES)


def test_a_small_manifest_stays_readable() -> None:
    """Where there is little to gain every byte stands for itself."""
    assert deflated(TEXT[:STORED_UP_TO]) == TEXT[:STORED_UP_TO]


def test_what_was_deflated_comes_back() -> None:
    """And no more than it is said to be."""
    held = deflated(TEXT)
    assert len(held) < len(TEXT) / 2
    assert inflated(held, len(TEXT)) == TEXT
    for wrong in (held[:-1], held + b"x", held[:5000] + b"\xff" * 8 + held[5008:], b""):
        with pytest.raises(ValueError, match=r"^it "):
            inflated(wrong, len(TEXT))
    for size in (0, len(TEXT) - 1, len(TEXT) + 1):
        with pytest.raises(ValueError, match="as many bytes"):
            inflated(held, size)


def test_checksums_cost_little_more_than_their_bits() -> None:
    """What happens to repeat in hex digits is not taken for repetition: 32 bytes of a SHA-256 take 36, not 41."""
    digests = [hashlib.sha256(line).hexdigest().encode() for line in LINES]
    rows = [line[:-2] + b',"source_sha256":"%b"}\n' % digest for line, digest in zip(LINES, digests, strict=True)]
    assert len(deflated(b"".join(rows))) - len(deflated(TEXT)) < 37 * len(LINES)


@pytest.mark.parametrize("header", [b"", b"PK" + bytes(28) + MANIFEST_NAME.encode()])
def test_damage_costs_the_rows_of_its_block(header: bytes) -> None:
    """All other blocks are read; of the damaged one, what comes before the damage. A lost header costs the first."""
    held = deflated(TEXT)
    middle = len(held) // 2
    damaged = header + held[:middle] + bytes(16) + held[middle + 16 :]
    found = {line for text in texts(damaged) for line in text.splitlines(keepends=True)} & set(LINES)
    assert LINES[-1] in found
    assert (LINES[0] in found) == bool(header)
    assert len(found) > len(LINES) / (2 if header else 4)


def test_a_bomb_is_not_inflated() -> None:
    """What is damaged may claim anything: memory is bounded."""
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = MANIFEST_NAME.encode() + bomb.compress(bytes(2**29)) + bomb.flush()
    assert sum(len(text) for text in texts(data)) <= 2**27 + len(data)


@pytest.fixture
def many(tmp_path: Path) -> tuple[Path, list[Row]]:
    """An archive of many small pictures."""
    with ArchiveWriter(tmp_path / "many.bca") as writer:
        rows = [writer.add(sample_row(f"icons/{i}.png"), b"payload %d" % i) for i in range(400)]
    return tmp_path / "many.bca", rows


def test_an_archive_of_many_small_pictures(many: tuple[Path, list[Row]]) -> None:
    """It is sound, its rows are those that were written, and beyond payloads and ZIP's own bytes they cost little."""
    folder, rows = many
    assert verify(folder).ok
    assert list(ArchiveReader.open(folder).rows()) == rows
    assert open_segment(folder, 1).manifest.packed is not None
    assert quick_manifest(folder, 1) == open_segment(folder, 1).read_manifest()
    zips = sum(30 + 46 + 2 * len(row.entry.encode()) for row in rows)
    payloads = sum(row.payload_bytes for row in rows)
    assert (folder / "000001.zip").stat().st_size - zips - payloads < 200 * len(rows)


def test_any_zip_tool_reads_the_manifest(many: tuple[Path, list[Row]]) -> None:
    """Method 8 is what every one of them knows."""
    folder, rows = many
    with zipfile.ZipFile(folder / "000001.zip") as archive:
        assert archive.testzip() is None
        assert archive.read(MANIFEST_NAME) == quick_manifest(folder, 1)
    done = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", folder / "000001.zip"], capture_output=True, text=True, check=True
    )
    assert rows[-1].entry in done.stdout


def test_a_damaged_manifest_is_found_and_mended(many: tuple[Path, list[Row]]) -> None:
    """No picture is lost, whatever became of the rows; those before the damage come back whole."""
    folder, rows = many
    span = open_segment(folder, 1).manifest
    flip(folder / "000001.zip", span.offset + 30 + len(MANIFEST_NAME) + span.held_size // 2)
    assert "the manifest is damaged" in str(verify(folder).damage[0])
    repair(folder, lambda _kind, _payload: {})
    assert verify(folder).ok
    found = list(ArchiveReader.open(folder).rows())
    assert [(row.path, row.payload_sha256) for row in found] == [(row.path, row.payload_sha256) for row in rows]
    assert sum(one == other for one, other in zip(found, rows, strict=True)) > len(rows) / 4
