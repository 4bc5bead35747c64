"""Reading over an executor finds what reading here finds, damage and all."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from batchcomp.archive import ArchiveWriter
from batchcomp.archive.segments import segment_name, segment_numbers
from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.decode import decode_archive
from batchcomp.pipeline.executors.base import Lost
from batchcomp.pipeline.executors.local import LocalExecutor
from batchcomp.pipeline.records import tally
from batchcomp.pipeline.sampling import sampler
from batchcomp.pipeline.spread_reading import VerifyOver, restored_over
from batchcomp.pipeline.verify import VerifySettings, verify_archive
from batchcomp.settings import CompressSettings, DecodeSettings
from tests.archive.samples import archive_that_shares, fixed_now, sample_row
from tests.cli import samples


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


def test_a_task_that_is_done_again_replaces_its_own_files(tmp_path: Path, tiny_model: Path) -> None:
    """A worker that died had written some of them: that is no failure."""

    class Twice(LocalExecutor):
        """Does every task twice."""

        def run(self, task: Any, items: Any) -> Any:
            for item in items:
                task(item)
                yield item, task(item)

    samples.save(tmp_path / "photos" / "a.png")
    archive = tmp_path / "x.bca"
    tally(compress_archive(CompressSettings(paths=(tmp_path / "photos",), archive=archive, model=tiny_model, jobs=1)))
    settings = DecodeSettings(source=archive, out=tmp_path / "out", model=tiny_model, jobs=1)
    first = tally(decode_archive(settings, restore=restored_over(Twice())))
    assert (first.counts["done"], first.failures) == (1, [])
    (failure,) = tally(decode_archive(settings, restore=restored_over(Twice()))).failures
    assert "--force" in failure.reason


def test_what_a_lost_worker_should_have_checked_is_no_clean_bill(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A segment that nobody could check counts as damaged, with the reason."""
    monkeypatch.setattr(
        LocalExecutor, "run", lambda _self, _task, items: ((item, Lost(reason="all died")) for item in items)
    )
    report = VerifyOver(LocalExecutor()).verify(VerifySettings(archive=archive), sampler(1))
    assert [damage.reason for damage in report.damage] == ["could not be checked: all died"] * 4
