"""What a run holds in memory, and what it lets go."""

from __future__ import annotations

import ctypes
import platform
from pathlib import Path

import pytest
from PIL import Image

from batchcomp.codec.codec import Codec
from batchcomp.images.walk import Item, walk
from batchcomp.pipeline.alternatives import Candidate
from batchcomp.pipeline.flow import in_turn
from batchcomp.pipeline.loading import Loaded, Loader
from batchcomp.pipeline.memory import give_back_freed
from batchcomp.pipeline.packing import Run
from batchcomp.settings import CompressSettings
from tests.cli.samples import photo


@pytest.mark.parametrize("measure", [True, False])
def test_pixels_are_let_go_once_nothing_needs_them(tmp_path: Path, tiny_model: Path, measure: bool) -> None:
    """Without measuring a picture is gone before its payload is made; the row tells the same of it."""
    Image.fromarray(photo(120, 180)).save(tmp_path / "a.png")
    settings = CompressSettings(paths=(tmp_path,), archive=tmp_path / "a.bca", measure=measure, isolate=False)
    (item,) = walk((tmp_path,))
    assert isinstance(item, Item)
    with Loader(settings) as loader:
        one = loader.load(item)
    assert isinstance(one, Loaded)
    assert one.picture is not None
    codec = Codec.open(tiny_model, device="cpu")
    expected = codec.compress(one.picture, settings.quality)
    (packed,) = Run(settings, codec, in_turn).pack([one])
    assert isinstance(packed, Candidate)
    assert (one.picture.pixels.strides == (0, 0, 0)) is not measure
    assert (packed.row.width, packed.row.height, packed.row.mode) == (180, 120, "RGB")
    if not measure:
        assert packed.data == expected


def test_freed_memory_goes_back_where_the_system_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is glibc; all others go on without."""
    assert give_back_freed(2) or platform.libc_ver()[0] != "glibc"

    def missing(_: object) -> object:
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert not give_back_freed(2)
