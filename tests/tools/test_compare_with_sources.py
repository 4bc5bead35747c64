"""`tools/compare_with_sources.py`."""

from __future__ import annotations

import json
import os
import runpy
from pathlib import Path

import pytest
from PIL import Image

from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.decode import decode_archive
from batchcomp.pipeline.records import tally
from batchcomp.settings import CompressSettings, DecodeSettings

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tools"
PHOTO = ROOT / "examples" / "photos" / "chelsea.png"


def test_what_was_decoded_is_compared_with_its_sources(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All is well after decoding; another time, alpha channel or content and a lost comment are each found."""
    photos, archive, out = tmp_path / "in", tmp_path / "a.bca", tmp_path / "out"
    photos.mkdir()
    with Image.open(PHOTO) as image:
        colour = image.convert("RGB")
    colour.save(photos / "comment.jpg", quality=95, comment=b"hello", dpi=(300, 300))
    colour.convert("RGBA").save(photos / "alpha.png")
    colour.convert("P").save(photos / "flat.png")
    colour.save(photos / "time.png")
    (photos / "notes.txt").write_text("none of ours")
    tally(
        compress_archive(
            CompressSettings(paths=(photos,), archive=archive, quality=30, model=tiny_model, measure="none")
        )
    )
    tally(decode_archive(DecodeSettings(source=archive, out=out, model=tiny_model)))
    compare = runpy.run_path(str(TOOLS / "compare_with_sources.py"))["main"]
    assert compare(photos, archive, out) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (summary["files"], summary["verbatim"], summary["not in the archive"]) == (4, 1, 1)

    colour.save(out / "comment.png")
    Image.merge("RGBA", (*colour.split(), Image.new("L", colour.size, 7))).save(out / "alpha.png")
    (out / "flat.png").write_bytes(b"other bytes")
    os.utime(out / "time.png", (1, 1))
    assert compare(photos, archive, out) == 1
    found = {line.split("\t")[0]: line.split("\t")[-1] for line in capsys.readouterr().out.splitlines()}
    assert "text 'Comment'" in found["comment.jpg"]
    assert "alpha" in found["alpha.png"]
    assert "bytes" in found["flat.png"]
    assert found["time.png"] == "time or permissions"
