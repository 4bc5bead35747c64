"""What a run knows of an archive: enough to pass over what is unchanged, and little of it."""

from __future__ import annotations

import time
import tracemalloc
from hashlib import sha256
from pathlib import Path

import pytest

from batchcomp.archive import ArchiveReader, ArchiveWriter
from batchcomp.archive.segment import open_segment
from batchcomp.images.walk import Item
from batchcomp.pipeline.failures import FailureMemory
from batchcomp.pipeline.index import Index
from batchcomp.pipeline.plan import Take, bundled, plan
from batchcomp.pipeline.recipe import recipe_of
from batchcomp.pipeline.records import Bundle, Failed, Passed
from batchcomp.settings import CompressSettings
from tests.archive.samples import sample_row, three_pictures, write_archive


def write_tree(root: Path, count: int) -> CompressSettings:
    """Make a tree of small files, and an archive that holds all of them as they are."""
    with ArchiveWriter(root / "tree.bca") as writer:
        for number in range(count):
            name = f"{number // 500:04d}/IMG_{number:06d}.jpg"
            path, data = root / "tree" / name, b"%d" % number
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            fields = {"source_bytes": len(data), "mtime_ns": path.stat().st_mtime_ns, "model": "", "quality": 55}
            writer.add(sample_row(name, source_sha256=sha256(data).hexdigest(), **fields), data)
    return CompressSettings(paths=(root / "tree",), archive=root / "tree.bca")


def test_it_is_what_the_archive_says(tmp_path: Path) -> None:
    """Size, time, checksum and how it was stored, of the newest version of each path, and nothing else."""
    folder = tmp_path / "x.bca"
    three_pictures(folder)
    write_archive(folder, [(sample_row("photos/a.png", mtime_ns=5, quality=20), b"newer"), (sample_row("c"), b"c")])
    known, rows = Index(folder), list(ArchiveReader.open(folder).rows())
    assert len(known) == len(rows) == 4
    for row in rows:
        entry = known.get(row.path)
        assert entry is not None
        assert (entry.size, entry.mtime_ns, entry.sha256.hex()) == (row.source_bytes, row.mtime_ns, row.source_sha256)
        assert (entry.segment, entry.recipe) == (row.segment, recipe_of(row))
    assert known.get("none") is None
    assert len(Index(tmp_path / "none.bca")) == 0


def test_a_broken_row_makes_its_path_unknown(tmp_path: Path) -> None:
    """A newer version that cannot be read is damage; the older one is not taken for the current one."""
    from batchcomp.archive.growing import GrowingSegment  # noqa: PLC0415  # only here
    from tests.archive.samples import fixed_now  # noqa: PLC0415

    folder = tmp_path / "x.bca"
    write_archive(folder, [(sample_row("a.png"), b"old")])
    write_archive(folder, [(sample_row("a.png"), b"new"), (sample_row("b.png"), b"other")])
    segment, growing = open_segment(folder, 2), GrowingSegment(folder, 2)
    for line in segment.row_lines():
        row = segment.row(line)
        growing.append(row, line.replace(b'"mtime_ns":17', b'"mtime_ns":"x","y":17') if row.path == "a.png" else line,
                       segment.read(row))  # fmt: skip
    growing.finish(fixed_now(), instead=True)
    known = Index(folder)
    assert known.get("a.png") is None
    assert known.get("b.png") is not None
    assert "breaks the rules" in known.damage[0].reason


def test_a_damaged_archive_is_told_of_once(tmp_path: Path) -> None:
    """Each damaged segment is one failure, before the files, and what is sound is known all the same."""
    settings = write_tree(tmp_path, 3)
    write_archive(settings.archive, [(sample_row("more"), b"more")])
    (settings.archive / "000002.zip").write_bytes(b"rubbish")
    steps = list(plan(settings, (), Index(settings.archive), FailureMemory(settings)))
    assert isinstance(steps[0], Failed)
    assert steps[0].damage
    assert [isinstance(step, Passed) and step.unchanged for step in steps[1:]] == [True] * 3


def test_unchanged_files_go_in_bundles(tmp_path: Path) -> None:
    """Neither their order nor one of them is lost, and what is to be taken stays where it was among them."""
    passed = [Passed(name=str(number), reason="", unchanged=True) for number in range(7)]
    item = Item(tmp_path, "taken", 1, 1, 0)
    found = list(bundled([*passed[:3], Take(item=item, reason="new"), *passed[3:]], most=2))
    assert found == [
        Bundle(tuple(passed[0:2])), Bundle((passed[2],)), item, Bundle(tuple(passed[3:5])), Bundle(tuple(passed[5:7])),
    ]  # fmt: skip


def test_it_takes_little_memory(tmp_path: Path) -> None:
    """A file costs at most 400 bytes, its name included, however much its row says."""
    count = 3000
    with ArchiveWriter(tmp_path / "x.bca") as writer:
        for number in range(count):
            name = f"2024/holiday/IMG_{number:06d}.jpg"
            writer.add(sample_row(name, source_sha256=sha256(name.encode()).hexdigest(), reason="x" * 300), b"")
    tracemalloc.start()
    known = Index(tmp_path / "x.bca")
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(known) == count
    assert used / count < 400 + 100_000 / count


@pytest.mark.long
def test_an_unchanged_tree_is_passed_over_quickly(tmp_path: Path) -> None:
    """100,000 files at 20,000 a second of computing, once the archive has an index."""
    settings = write_tree(tmp_path, 100_000)
    Index(settings.archive)
    started, computing = time.perf_counter(), time.process_time()
    passed = sum(
        isinstance(step, Passed) for step in plan(settings, (), Index(settings.archive), FailureMemory(settings))
    )
    seconds, computed = time.perf_counter() - started, time.process_time() - computing
    print(f"{passed / seconds:.0f} files/s by the clock, {passed / computed:.0f} of computing")  # noqa: T201
    assert passed == 100_000
    assert passed / computed > 20_000
