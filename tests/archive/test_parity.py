"""Recovery data restores damage to the byte, survives damage of its own, and never harms a sound archive."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchcomp.archive import ArchiveWriter, durable, parity_header, prune, repair, standing, verify
from batchcomp.archive.parity import HURT, OTHER, UNUSABLE, share_for
from batchcomp.archive.parity_file import build
from batchcomp.archive.parity_header import BLOCK_SIZES, COPIES, HEADER_BYTES, Shape, find_header, shape_for
from batchcomp.archive.segments import parity_name, segment_name, segment_numbers
from batchcomp.errors import ArchiveError

from .samples import fixed_now, sample_row, write_archive

SHARE = 0.05


def describe(_kind: str, _payload: bytes) -> dict[str, Any]:
    """What the codec would say of a payload."""
    return {"width": 768, "height": 512, "mode": "RGB"}


def make(folder: Path, pictures: int = 4, size: int = 3000, **options: Any) -> Path:
    """Write a segment of noise with recovery data, and return the archive."""
    noise = random.Random(pictures)  # noqa: S311
    rows = [sample_row(f"{n}.png", source_sha256=f"{n:064x}") for n in range(pictures)]
    write_archive(folder, [(row, noise.randbytes(size)) for row in rows], **{"parity": SHARE, **options})
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path / "x.bca")


def files(folder: Path) -> dict[str, bytes]:
    """Return what the archive consists of."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.zip*")) if ".damaged" not in path.name}


def harm(path: Path, at: int, data: bytes) -> None:
    """Overwrite bytes of a file."""
    found = bytearray(path.read_bytes())
    found[at : at + len(data)] = data
    path.write_bytes(found)


def restored(folder: Path, before: dict[str, bytes]) -> bool:
    """Repair, and tell whether everything is as it was."""
    found = repair(folder, describe, now=fixed_now)
    return files(folder) == before and not found.lost and verify(folder).ok


def test_what_is_written_is_what_the_document_says(folder: Path) -> None:
    """Header, rows of checksums and parity, five copies of the header."""
    data, found = (folder / "000001.zip").read_bytes(), (folder / "000001.zip.parity").read_bytes()
    shape = shape_for(len(data), 1, SHARE, find_header(memoryview(found)).sha256)  # type: ignore[union-attr]
    assert (shape.block, shape.stripes, shape.rows) == (64, 1, -(-shape.columns // 20) + 4)
    assert len(found) == shape.file_bytes
    assert found.count(shape.header()) == COPIES
    assert found.startswith(shape.header())
    assert found.endswith(shape.header())
    assert len(shape.header()) == HEADER_BYTES == 76


@pytest.mark.parametrize("size", [1, 63, 64, 65, 4097, 16_384 * 64 + 1, 16_384 * 512 + 1, 2**31])
def test_blocks_are_small_and_code_words_never_too_long(size: int) -> None:
    """Block size follows from the segment's; beyond it the number of stripes grows."""
    shape = shape_for(size, 1, SHARE, bytes(32))
    assert shape.block in BLOCK_SIZES
    assert shape.columns <= 32_768
    assert shape.blocks <= 16_384 or shape.block == 512
    assert shape.rows >= shape.columns * SHARE + 4


@pytest.mark.parametrize(
    "harmful",
    [
        lambda path, data: path.write_bytes(data[: -len(data) // 25]),  # cut off
        lambda path, data: path.write_bytes(data + b"something behind it"),
        lambda path, data: harm(path, 0, bytes(len(data) // 25)),
        lambda path, data: harm(path, len(data) - 100, b"\xff" * 100),  # the directory
        lambda path, data: harm(path, 77, bytes([data[77] ^ 1])),
    ],
)
def test_damage_of_every_sort_is_undone(folder: Path, harmful: Callable[[Path, bytes], object]) -> None:
    """The segment is what it was, to the byte; the damaged file is kept."""
    before, path = files(folder), folder / "000001.zip"
    harmful(path, before[path.name])
    damaged = path.read_bytes()
    assert restored(folder, before)
    assert (folder / "000001.zip.damaged").read_bytes() == damaged


@pytest.mark.skipif(not hasattr(os, "fchmod"), reason="this system has no permission bits")
def test_recovery_data_is_as_private_as_its_segment(tmp_path: Path) -> None:
    """It gives pictures back, so it allows nobody more; nor does a segment that it gave back."""
    folder, noise = tmp_path / "x.bca", random.Random(7)  # noqa: S311
    write_archive(folder, [(sample_row(permissions=0o600), noise.randbytes(3000))], parity=SHARE)
    paths = [folder / segment_name(1), folder / parity_name(1)]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o600, 0o600]
    data = bytearray(paths[0].read_bytes())
    data[500] ^= 1
    paths[0].write_bytes(data)
    assert repair(folder, describe).segments[0].exact
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o600, 0o600]


def test_a_dry_run_says_so_and_writes_nothing(folder: Path) -> None:
    """It restores in another folder."""
    harm(folder / "000001.zip", 500, bytes(200))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (found,) = repair(folder, describe, dry_run=True).segments
    assert (found.exact, found.saved, found.restored) == (True, 4, 4)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_too_much_damage_falls_back_to_salvage(folder: Path) -> None:
    """What is intact is saved as without recovery data, which is kept beside the damaged file; new one is written."""
    old = files(folder)
    harm(folder / "000001.zip", 100, bytes(2500))
    found = standing(folder, 1, sound=False)
    assert found is not None
    assert not found.restorable
    report = repair(folder, describe, now=fixed_now)
    assert [one.exact for one in report.segments] == [False]
    assert [lost.path for lost in report.lost] == ["0.png"]
    assert (folder / "000001.zip.damaged.parity").read_bytes() == old["000001.zip.parity"]
    assert sound(folder)


def sound(folder: Path) -> bool:
    """Tell whether the archive is sound and all its recovery data too."""
    found = [standing(folder, number, sound=True) for number in segment_numbers(folder)]
    return verify(folder).ok and all(one is not None and not one.problem for one in found)


def test_verify_knows_how_much_is_borne(folder: Path) -> None:
    """The number of blocks is true: so many are restored, one more is not."""
    before, path = files(folder), folder / "000001.zip"
    found = standing(folder, 1, sound=True)
    assert found is not None
    assert (found.lost, found.problem) == (0, "")
    some = random.Random(1).sample(range(found.blocks - 1), found.bears + 1)  # noqa: S311
    for block in some[:-1]:
        harm(path, block * found.block, bytes([before[path.name][block * found.block] ^ 1]))
    now = standing(folder, 1, sound=False)
    assert now is not None
    assert (now.lost, now.restorable) == (found.bears, True)
    assert restored(folder, before)
    for block in some:
        harm(path, block * found.block, bytes([before[path.name][block * found.block] ^ 1]))
    assert not restored(folder, before)


def test_one_piece_of_the_promised_length_is_borne(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it begins; with several stripes it is spread over all of them."""
    monkeypatch.setattr(parity_header, "MOST", 100)
    monkeypatch.setattr(parity_header, "_FEW", 50)
    folder = make(tmp_path / "x.bca", pictures=40, size=4000)
    before, path = files(folder), folder / "000001.zip"
    found = standing(folder, 1, sound=True)
    assert found is not None
    assert found.block == 512
    assert found.blocks > 300
    assert found.bears_bytes > 4 * found.bears * 300
    for at in (0, 1, 511, 70_001, len(before[path.name]) - found.bears_bytes):
        harm(path, at, bytes(one ^ 255 for one in before[path.name][at : at + found.bears_bytes]))
        assert restored(folder, before)


def test_flipped_bytes_of_recovery_data_are_found(tmp_path: Path) -> None:
    """Each byte is of a header, a checksum or a parity block, and all of these are checked."""
    folder = make(tmp_path / "x.bca", pictures=1, size=500)
    path = folder / "000001.zip.parity"
    data = path.read_bytes()
    for at in [*range(HEADER_BYTES), *range(HEADER_BYTES, len(data), 11)]:
        harm(path, at, bytes([data[at] ^ (1 << at % 8)]))
        found = standing(folder, 1, sound=True)
        assert found is not None
        assert found.problem == HURT
        path.write_bytes(data)


@pytest.mark.parametrize("cut", [1, 76, 100])
def test_truncated_recovery_data_is_found_and_written_anew(folder: Path, cut: int) -> None:
    """What is left of it still helps."""
    before = files(folder)
    (folder / "000001.zip.parity").write_bytes(before["000001.zip.parity"][:-cut])
    harm(folder / "000001.zip", 200, bytes(64))
    assert restored(folder, before)


@pytest.mark.parametrize("data", [b"", b"rubbish" * 100])
def test_recovery_data_beyond_reading_is_said_and_written_anew(folder: Path, data: bytes) -> None:
    """Verify names it, repair needs only the sound segment."""
    before = files(folder)
    (folder / "000001.zip.parity").write_bytes(data)
    found = standing(folder, 1, sound=True)
    assert found is not None
    assert found.problem == UNUSABLE
    assert str(found.damage).startswith("000001.zip.parity: ")
    assert repair(folder, describe, dry_run=True).parity == (1,)
    assert repair(folder, describe).parity == (1,)
    assert files(folder) == before


def test_recovery_data_of_another_state_harms_nothing(folder: Path, tmp_path: Path) -> None:
    """It is recognised, replaced, and never used on a segment that it is not of."""
    other = make(tmp_path / "y.bca", pictures=5)
    (folder / "000001.zip.parity").write_bytes((other / "000001.zip.parity").read_bytes())
    found = standing(folder, 1, sound=True)
    assert found is not None
    assert found.problem == OTHER
    harm(folder / "000001.zip", 200, b"damage")
    report = repair(folder, describe, now=fixed_now)
    assert [one.exact for one in report.segments] == [False]
    assert sound(folder)


def forged(shape: Shape, **fields: Any) -> bytes:
    return replace(shape, **fields).header()


@pytest.mark.parametrize("field", ["size", "stripes", "rows"])
def test_forged_headers_cost_no_memory(folder: Path, field: str) -> None:
    """What a header claims is held against the size of the file."""
    path = folder / "000001.zip.parity"
    shape = find_header(memoryview(path.read_bytes()))
    assert shape is not None
    path.write_bytes(forged(shape, **{field: 2**31}) * COPIES)
    found = standing(folder, 1, sound=True)
    assert found is not None
    assert found.problem == UNUSABLE


def test_the_archive_remembers_and_the_next_run_catches_up(folder: Path) -> None:
    """A run that says nothing keeps the share; missing files are written; 0 removes all."""
    with ArchiveWriter(folder) as writer:
        writer.add(sample_row("new.png", source_sha256="77" * 32), b"new" * 500)
    assert share_for(folder) == SHARE
    before = files(folder)
    assert sorted(before) == ["000001.zip", "000001.zip.parity", "000002.zip", "000002.zip.parity"]
    (folder / "000001.zip.parity").unlink()
    with ArchiveWriter(folder) as writer:
        assert list(writer.catch_up()) == []
    assert files(folder) == before
    with ArchiveWriter(folder, parity=0.1) as writer:
        assert list(writer.catch_up()) == []
    assert share_for(folder) == 0.1
    assert len((folder / "000001.zip.parity").read_bytes()) > len(before["000001.zip.parity"])
    with ArchiveWriter(folder, parity=0) as writer:
        assert list(writer.catch_up()) == []
    assert sorted(files(folder)) == ["000001.zip", "000002.zip"]
    assert share_for(folder) == 0


def test_a_damaged_segment_gets_no_recovery_data(folder: Path) -> None:
    """It would make the damage permanent; the segment is named instead."""
    (folder / "000001.zip.parity").unlink()
    harm(folder / "000001.zip", 200, b"damage")
    with ArchiveWriter(folder, parity=SHARE) as writer:
        (damage,) = writer.catch_up()
    assert damage.segment == "000001.zip"
    assert not (folder / "000001.zip.parity").exists()


def test_prune_renews_recovery_data(folder: Path) -> None:
    """A segment that is rewritten has recovery data of what it is now."""
    with ArchiveWriter(folder) as writer:
        writer.add(sample_row("0.png", source_sha256="77" * 32), b"new" * 500)
    before = (folder / "000001.zip").stat().st_size
    assert prune(folder).rewritten == (1,)
    now = files(folder)
    assert len(now["000001.zip"]) < before
    harm(folder / "000001.zip", 300, bytes(100))
    assert restored(folder, now)


class Killed(BaseException):
    """Stands for a process that ends where it is."""


def killed_at(step: int, run: Callable[[], object]) -> bool:
    """Run until the disk is about to be changed for the n-th time; return False where it ended before."""
    count = 0

    def watch(_step: durable.Step) -> None:
        nonlocal count
        count += 1
        if count >= step:
            raise Killed

    with durable.watched(watch):
        try:
            run()
        except Killed:
            return True
    return False


def writes(folder: Path) -> None:
    """Add a segment to an archive that has recovery data."""
    with ArchiveWriter(folder, now=fixed_now) as writer:
        writer.add(sample_row("0.png", source_sha256="77" * 32), b"new" * 500)


@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("what", ["write", "prune", "repair", "salvage"])
def test_a_run_killed_at_any_step_leaves_what_heals(tmp_path: Path, what: str, stride: int) -> None:
    """The archive is whole at every moment, and the next run makes its recovery data so."""
    step = 0
    while True:
        step += stride
        folder = make(tmp_path / f"{step}.bca")
        if what == "prune":
            writes(folder)
        if what in {"repair", "salvage"}:
            harm(folder / "000001.zip", 300, bytes(100 if what == "repair" else 2000))
        run = {"write": writes, "prune": prune}.get(what, lambda folder: repair(folder, describe, now=fixed_now))
        again = killed_at(step, lambda run=run, folder=folder: run(folder))  # type: ignore[misc]
        if what in {"write", "prune"}:
            assert verify(folder).ok
        if what != "write":
            run(folder)
        with ArchiveWriter(folder) as writer:
            assert list(writer.catch_up()) == []
        assert verify(folder).ok
        assert sound(folder)
        assert share_for(folder) == SHARE
        assert not list(folder.glob(".*.tmp"))
        if not again:
            break
    assert step > 8


def test_a_full_disk_costs_recovery_data_only(tmp_path: Path) -> None:
    """The segment before it is committed, and the message names the file that could not be written."""

    def refuse(step: durable.Step) -> None:
        if step.kind == "write" and "parity" in step.path.name:
            raise OSError(28, "No space left on device")

    with (
        durable.watched(refuse),
        pytest.raises(ArchiveError, match=r"000001\.zip\.parity: No space .*; free some space"),
    ):
        make(tmp_path / "x.bca")
    assert verify(tmp_path / "x.bca").entries == 4
    assert [path.name for path in (tmp_path / "x.bca").glob("*.parity*")] == []


def damages(noise: random.Random, data: bytes, shape: Shape, share: float) -> tuple[bytearray, int]:
    """Damage data by bursts and single bytes until a share of its blocks is hit; return how many bytes were changed."""
    found, hit, budget = bytearray(data), set[int](), noise.uniform(0, share) * shape.blocks
    bursts, longest = noise.random(), noise.choice([64, 512, 4096, 65_536])
    while True:
        length = noise.randint(1, longest) if noise.random() < bursts else 1
        at = noise.randrange(max(1, len(data) - length))
        touched = hit | set(range(at // shape.block, (at + length - 1) // shape.block + 1))
        if len(touched) > budget:
            if length == 1 or not hit:
                break
            longest = max(1, longest // 2)
            continue
        hit = touched
        for place in range(at, min(len(data), at + length)):
            found[place] = data[place] ^ noise.randrange(1, 256) if length < 4096 else 0
    return found, sum(a != b for a, b in zip(found, data, strict=True))


def bear_random_damage(tmp_path: Path, runs: int, seed: int) -> tuple[int, int]:
    """Damage segments of several sizes, one in three with its parity file; return runs and restored ones."""
    noise, good = random.Random(seed), 0  # noqa: S311
    sizes = [(3, 4000), (9, 30_000), (60, 30_000)]
    archives = [make(tmp_path / f"{pictures}.bca", pictures, size) for pictures, size in sizes]
    for run in range(runs):
        folder = archives[run % len(archives)]
        before = files(folder)
        shape = find_header(memoryview(before[parity_name(1)]))
        assert shape is not None
        both = run % 3 == 0
        found, _ = damages(noise, before[segment_name(1)], shape, 0.02 if both else 0.04)
        (folder / segment_name(1)).write_bytes(found)
        if both:
            hurt, _ = damages(noise, before[parity_name(1)], shape, 0.0008)
            (folder / parity_name(1)).write_bytes(hurt)
        good += restored(folder, before)
        for path in folder.glob("*.damaged*"):
            path.unlink()
        for name, data in before.items():
            (folder / name).write_bytes(data)
    return runs, good


def test_random_damage_is_borne(tmp_path: Path) -> None:
    """Bursts and single bytes, up to 4 % of the blocks with parity of 5 %."""
    runs, good = bear_random_damage(tmp_path, 12, 1)
    assert good == runs


@pytest.mark.long
def test_a_thousand_random_damages_are_borne(tmp_path: Path) -> None:
    """The same a thousand times."""
    runs, good = bear_random_damage(tmp_path, 1000, 2)
    assert good == runs


def test_the_same_bytes_for_the_same_segment(folder: Path) -> None:
    """Nothing but the segment, its number and the share decides."""
    data = (folder / "000001.zip").read_bytes()
    assert b"".join(build(memoryview(data), 1, SHARE)) == (folder / "000001.zip.parity").read_bytes()
