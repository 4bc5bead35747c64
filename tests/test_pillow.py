"""The Pillow plugin, in a process of its own: it changes what `Image.open` does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from batchcomp.codec.codec import Codec
from batchcomp.images.picture import Metadata, Picture
from tests.cli import samples

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
CODE = """
import sys
import numpy as np
from PIL import Image
import batchcomp.pillow
for path in sys.argv[2:]:
    with Image.open(path) as image:
        size, form, mode = image.size, image.format, image.mode
        np.save(path + ".npy", np.asarray(image))
        print(form, *size, mode, len(image.info.get("icc_profile") or b""), sep=",")
"""


def run(*paths: Path) -> list[str]:
    command = [sys.executable, "-W", "error", "-c", CODE, "-", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert not done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("inner", ["jpeg", "avif"])
def test_payloads_open_as_the_pictures_they_restore_to(tmp_path: Path, inner: str) -> None:
    """Size, mode, pixels and metadata are those of the original; the codec gives the same."""
    codec = Codec.open(Path("fast"), device="cpu")
    colour, grey = samples.photo(65, 90), samples.photo(40, 33)[:, :, :1]
    paths = [tmp_path / f"{name}.{inner}" for name in ("colour", "grey")]
    for path, pixels in zip(paths, (colour, grey), strict=True):
        path.write_bytes(codec.compress(Picture(pixels=pixels, metadata=Metadata(icc=ICC)), 60, inner))
    icc = len(ICC)
    assert run(*paths) == [f"BATCHCOMP,90,65,RGB,{icc}", f"BATCHCOMP,33,40,L,{icc}"]
    for path in paths:
        expected = codec.restore(path.read_bytes()).pixels
        assert np.array_equal(np.load(f"{path}.npy").reshape(expected.shape), expected)


def test_other_files_open_as_ever(tmp_path: Path) -> None:
    """Plain JPEG and PNG files are none of ours."""
    image = Image.fromarray(samples.photo(20, 30))
    paths = [tmp_path / "a.jpg", tmp_path / "b.png", tmp_path / "c.avif"]
    for path in paths:
        image.save(path)
    assert [line.split(",")[0] for line in run(*paths)] == ["JPEG", "PNG", "AVIF"]


def test_a_damaged_payload_is_an_oserror(tmp_path: Path) -> None:
    """As Pillow's own plugins raise it."""
    data = Codec.open(Path("fast"), device="cpu").compress(Picture(pixels=samples.photo(64, 64)), 60)
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) * 2 // 3])
    code = CODE + "\n"
    command = [sys.executable, "-c", code, "-", str(tmp_path / "cut.jpg")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "OSError" in done.stderr
