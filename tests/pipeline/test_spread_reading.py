"""Reading over an executor finds what reading here finds, damage and all."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveWriter
from batchcomp.archive.segments import segment_name, segment_numbers
from batchcomp.pipeline.executors.base import Lost
from batchcomp.pipeline.executors.local import LocalExecutor
from batchcomp.pipeline.sampling import sampler
from batchcomp.pipeline.spread_reading import VerifyOver
from batchcomp.pipeline.verify import VerifySettings, verify_archive
from tests.archive.samples import archive_that_shares, fixed_now, sample_row


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return an archive of four segments whose rows share content with their own and earlier ones."""
    folder = tmp_path / "x.bca"
    archive_that_shares(folder)
    for number in range(2):
        with ArchiveWriter(folder, now=fixed_now) as writer:
            own = writer.add(sample_row(f"{number}.png", source_sha256=f"{number}1" * 32), b"payload" * 9)
            writer.add_shared(sample_row(f"like {number}.png"), own)
    return folder


def reports(archive: Path) -> tuple[list[object], list[object]]:
    """Return the findings of `verify` here and over an executor."""
    settings = VerifySettings(archive=archive)
    return list(verify_archive(settings)), list(verify_archive(settings, VerifyOver(LocalExecutor())))


def test_a_sound_archive(archive: Path) -> None:
    """The same numbers of segments, entries, bytes."""
    here, there = reports(archive)
    assert there == here
    assert getattr(here[0], "ok", False)


def test_damage_of_every_kind(archive: Path) -> None:
    """Any flipped byte, a missing segment, an owner that is gone: the same findings in the same order."""
    chance, damaged = random.Random(7), 0  # noqa: S311
    sound = {number: (archive / segment_name(number)).read_bytes() for number in segment_numbers(archive)}
    for _ in range(60):
        number = chance.choice(list(sound))
        data = bytearray(sound[number])
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (archive / segment_name(number)).write_bytes(data)
        here, there = reports(archive)
        assert there == here
        damaged += len(here) > 1
        (archive / segment_name(number)).write_bytes(sound[number])
    assert damaged > 50
    (archive / segment_name(1)).unlink()
    here, there = reports(archive)
    assert there == here
    assert any("refers to an entry of segment 1" in str(finding) for finding in here)


def test_what_a_lost_worker_should_have_checked_is_no_clean_bill(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A segment that nobody could check counts as damaged, with the reason."""
    monkeypatch.setattr(
        LocalExecutor, "run", lambda _self, _task, items: ((item, Lost(reason="all died")) for item in items)
    )
    report = VerifyOver(LocalExecutor()).verify(VerifySettings(archive=archive), sampler(1))
    assert [damage.reason for damage in report.damage] == ["could not be checked: all died"] * 4
