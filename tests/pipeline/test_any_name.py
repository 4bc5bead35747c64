"""Any name that the file system accepts goes into an archive and comes back byte for byte."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from batchcomp.archive import ArchiveReader, verify
from batchcomp.images.save import safe_join, save_bytes
from batchcomp.images.walk import Item, locator, walk
from batchcomp.outputs import OUTPUTS
from batchcomp.pipeline.targets import sameness, target_names
from batchcomp.pipeline.unpack import unpack_archive
from tests.archive.samples import sample_row, verbatim_row, write_archive

NASTY = [
    b"%",
    b"%5C",
    b"%25",
    b"\\",
    b"\n",
    b" ",
    b".",
    b":",
    b"C:",
    b"\xff",
    "ü".encode(),
    b"~2",
    b".jpg",
    b".png",
    b"con",
]
PARTS = st.one_of(
    st.binary(min_size=1, max_size=255),
    st.lists(st.sampled_from(NASTY), min_size=1, max_size=8).map(b"".join),
    st.integers(240, 255).flatmap(
        lambda size: st.sampled_from([b"x" * size, b"x" * (size - 4) + b".jpg", b"\xff" * size])
    ),
)
NAMES = PARTS.filter(lambda part: part not in {b".", b".."} and not set(part) & set(b"/\0") and len(part) <= 255)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(b"/".join)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the file system refuses many of these names")


def names_below(folder: bytes) -> set[bytes]:
    return {os.path.relpath(os.path.join(top, name), folder) for top, _, names in os.walk(folder) for name in names}  # noqa: PTH118


def there_and_back(paths: set[bytes], kind: str) -> int:
    """Make files, archive, restore and unpack them; all names must be those that they were, or told apart.

    Returns how many came back.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, out, unpacked, archive = (Path(folder) / name for name in ("in", "out", "unpacked", "a.bca"))
        for path in paths:
            with suppress(FileExistsError, NotADirectoryError, IsADirectoryError):
                file = os.fsencode(source) + b"/" + path
                os.makedirs(os.path.dirname(file), exist_ok=True)  # noqa: PTH103, PTH120
                Path(os.fsdecode(file)).write_bytes(path)
        made = names_below(os.fsencode(source))
        items = list(walk([source]))
        assert all(isinstance(item, Item) for item in items)
        make = verbatim_row if kind == "verbatim" else sample_row
        write_archive(archive, [(make(item.name), item.path.read_bytes()) for item in items if isinstance(item, Item)])
        assert not verify(archive).damage
        opened = ArchiveReader.open(archive)
        rows = list(opened.rows())
        assert len(rows) == len(made)
        locate = locator([source])
        for row in rows:
            assert os.fsencode(str(locate(row.path))) == os.fsencode(source) + b"/" + opened.read(row)
        targets = target_names(rows, "png", same=sameness(out))
        for row in rows:
            save_bytes(opened.read(row), safe_join(out, targets[row.path]))
        restored = names_below(os.fsencode(out))
        assert len(restored) == len(made)
        if kind == "verbatim":
            assert restored == made
        else:
            assert all(name.endswith(OUTPUTS["png"].suffix.encode()) for name in restored)
        list(unpack_archive(archive, (), unpacked, force=False))
        assert len(names_below(os.fsencode(unpacked))) == len(made)
        return len(restored)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(PATHS, min_size=1, max_size=8), st.sampled_from(["verbatim", "compact"]))
def test_any_name_comes_back(paths: set[bytes], kind: str) -> None:
    """Bytes of all kinds, names of full length, in folders of such names."""
    assert there_and_back(paths, kind) > 0


@pytest.mark.long
@settings(deadline=None, max_examples=500, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.sets(PATHS, min_size=20, max_size=100), st.sampled_from(["verbatim", "compact"]))
def test_any_of_many_names_comes_back(paths: set[bytes], kind: str) -> None:
    """As above, with ten thousands of names, many in an archive."""
    assert there_and_back(paths, kind) > 0


@pytest.mark.long
@pytest.mark.parametrize("kind", ["verbatim", "compact"])
def test_every_name_of_one_or_two_bytes_comes_back(kind: str) -> None:
    """All of them: 64,768 names."""
    allowed = [bytes([one]) for one in range(256) if one not in b"/\0"]
    count = there_and_back({*allowed} - {b"."}, kind)
    for first in allowed:
        count += there_and_back({first + second for second in allowed} - {b".."}, kind)
    assert count == 254 - 1 + 254 * 254 - 1


@pytest.mark.parametrize("size", range(248, 256))
def test_long_names_of_one_beginning_stay_apart(size: int) -> None:
    """What gains a suffix is cut, and what differs only where it is cut is told apart by its hash."""
    there_and_back({b"x" * (size - 5) + b"%d.jpg" % number for number in range(4)}, "compact")
