"""No file of an archive shows others what they could not read in the sources; no year is too far."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, ArchiveWriter, durable, prune, repair, verify
from batchcomp.archive.layout import parse_recovery, recovery_field

from .samples import fixed_now, sample_row, write_archive
from .test_repair import describe

pytestmark = pytest.mark.skipif(os.name == "nt", reason="permissions differ")
YEARS = [-(2**63) * 10**9, -(2**63), -(10**19) - 1, 15_032_385_535 * 10**9 + 999_999_999, 2**63, 2**63 * 10**9 - 1]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("sources", "wanted"),
    [([0o644, 0o755], 0o644), ([0o644, 0o600], 0o600), ([0o640], 0o600), ([0o4711], 0o600), ([0o444], 0o644)],
)
def test_a_segment_is_as_private_as_its_sources(tmp_path: Path, sources: list[int], wanted: int) -> None:
    """It is never readable to more, at no moment, and stays so when it is rewritten."""
    seen: list[int] = []

    def watch(step: durable.Step) -> None:
        if step.kind == "write" and step.path.name.endswith(".zip.tmp"):
            seen.append(mode(step.path))

    old = os.umask(0o022)
    try:
        with durable.watched(watch):
            rows = [(sample_row(f"{n}.png", permissions=bits), b"data") for n, bits in enumerate(sources)]
            write_archive(tmp_path / "x.bca", [*rows, (sample_row("old.png", permissions=0o644), b"old")])
        path = tmp_path / "x.bca" / "000001.zip"
        assert (mode(path), set(seen)) == (wanted, {0o600})
        prune(tmp_path / "x.bca", gone=lambda name: name == "old.png")
        assert mode(path) == wanted
        data = path.read_bytes()
        path.write_bytes(data[:-30])
        assert not repair(tmp_path / "x.bca", describe).lost
        assert {mode(one) for one in (tmp_path / "x.bca").glob("0*")} == {wanted}
        path.chmod(0o600)
        prune(tmp_path / "x.bca", gone=lambda name: name == "0.png")
        assert mode(path) == 0o600
    finally:
        os.umask(old)


def test_a_shared_row_counts(tmp_path: Path) -> None:
    """Its name and checksum are a secret too."""
    with ArchiveWriter(tmp_path / "x.bca", now=fixed_now) as writer:
        first = writer.add(sample_row("a.png", permissions=0o644), b"data")
        writer.commit()
        writer.add_shared(sample_row("b.png", permissions=0o600), first)
    assert mode(tmp_path / "x.bca" / "000002.zip") == 0o600


@pytest.mark.parametrize("mtime_ns", YEARS)
def test_every_year_comes_back(tmp_path: Path, mtime_ns: int) -> None:
    """Whatever a system says fits the row and the recovery field exactly; only the ZIP's own date is clamped."""
    (row,) = write_archive(tmp_path / "x.bca", [(sample_row("a.png", mtime_ns=mtime_ns), b"data")])
    assert next(ArchiveReader.open(tmp_path / "x.bca").rows()).mtime_ns == mtime_ns
    assert verify(tmp_path / "x.bca").ok
    recovery = parse_recovery(recovery_field(row))
    assert recovery is not None
    assert recovery.mtime_ns == mtime_ns
    path = tmp_path / "x.bca" / "000001.zip"
    path.write_bytes(path.read_bytes()[:250])
    repair(tmp_path / "x.bca", describe)
    assert next(ArchiveReader.open(tmp_path / "x.bca").rows()).mtime_ns == mtime_ns
