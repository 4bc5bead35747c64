"""`tools/second_set.py`."""

from __future__ import annotations

import runpy
from pathlib import Path

from PIL import Image

TOOLS = Path(__file__).parents[2] / "tools"


def test_the_second_set_is_made(tmp_path: Path) -> None:
    """Each photo gives its whole and two parts, besides the colour pictures of the examples."""
    (tmp_path / "in").mkdir()
    Image.new("RGB", (1800, 1400), (9, 99, 200)).save(tmp_path / "in/sky.jpg")
    module = runpy.run_path(str(TOOLS / "second_set.py"))
    module["make"](tmp_path / "in", tmp_path / "out")
    sizes = {}
    for path in (tmp_path / "out").iterdir():
        with Image.open(path) as picture:
            sizes[path.name] = picture.size
    assert {name: size for name, size in sizes.items() if name.startswith("sky")} == {
        "sky-whole.png": (768, 597),
        "sky-centre.png": (768, 512),
        "sky-low.png": (768, 512),
    }
    assert {"astronaut.png", "rocket.png"} <= sizes.keys()
