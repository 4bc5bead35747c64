"""One batch of pictures through all stages, and what a run holds in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from batchcomp.codec.codec import Codec
from batchcomp.images.walk import Item, walk
from batchcomp.pipeline import stages
from batchcomp.pipeline.compress import compress
from batchcomp.pipeline.context import Context
from batchcomp.pipeline.dedup import Deduplication
from batchcomp.pipeline.index import Index
from batchcomp.pipeline.job import Job
from batchcomp.pipeline.loading import Loader
from batchcomp.pipeline.workers import Serial
from batchcomp.settings import CompressSettings
from tests.cli.samples import photo


def begun(folder: Path, model: Path, *, measure: str) -> tuple[Job, Context]:
    """A job of one photo, and the context of its run."""
    Image.fromarray(photo(120, 180)).save(folder / "a.png")
    settings = CompressSettings(paths=(folder,), archive=folder / "a.bca", measure=measure, isolate=False, model=model)
    codec = Codec.open(model, device="cpu")
    deduplication = Deduplication(settings, codec.hashes, Index(settings.archive))
    (item,) = walk((folder,))
    assert isinstance(item, Item)
    with Loader(settings) as loader:
        job = loader.load(item)
    assert isinstance(job, Job)
    return job, Context(settings=settings, codec=codec, workers=Serial(), deduplication=deduplication)


@pytest.mark.parametrize("measure", ["quick", "none"])
def test_pixels_are_released_once_nothing_needs_them(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, measure: str
) -> None:
    """Without measuring a picture is gone before its payload is made; the row says the same of it."""
    job, context = begun(tmp_path, tiny_model, measure=measure)
    expected = context.codec.compress(job.picture, context.settings.quality)
    held: list[bool] = []
    encode = stages.encode
    monkeypatch.setattr(
        stages, "encode", lambda *words, **names: (held.append(bool(job.loaded.picture)), encode(*words, **names))[1]
    )
    (finished,) = compress([job], context)
    assert held == [measure == "quick"]
    assert finished.loaded.picture is None
    row = finished.chosen.row
    assert (row.width, row.height, row.mode) == (180, 120, "RGB")
    if measure == "none":
        assert finished.chosen.data == expected


def test_a_job_says_what_it_lacks(tmp_path: Path, tiny_model: Path) -> None:
    """What no stage has made yet is not taken for something."""
    job, _ = begun(tmp_path, tiny_model, measure="quick")
    for missing in ("payload", "chosen"):
        with pytest.raises(LookupError, match=r"a\.png"):
            getattr(job, missing)
    job.loaded.release()
    with pytest.raises(LookupError, match="not in memory"):
        _ = job.picture
