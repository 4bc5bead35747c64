"""`tools/butteraugli.py`."""

from __future__ import annotations

import runpy
import stat
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ssimulacra2", reason="needs the extra `bench`")
TOOL = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "butteraugli.py"))


def program(folder: Path, answer: str) -> str:
    file = folder / "program"
    file.write_text(f"#!/bin/sh\ntest -f $1 && test -f $2 && {answer}\n")
    file.chmod(stat.S_IRWXU)
    return str(file)


def test_the_norm_is_read(tmp_path: Path) -> None:
    """The program gets two files and its second line counts; what is no answer is an error that says it."""
    original, pixels = tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8)
    original.write_bytes(b"")
    assert TOOL["three_norm"](program(tmp_path, "echo 3.5; echo 3-norm: 1.25"), original, pixels) == 1.25
    with pytest.raises(RuntimeError, match="too small"):
        TOOL["three_norm"](program(tmp_path, "echo too small >&2"), original, pixels)


def test_bytes_at_equal_norm_are_compared() -> None:
    """Three quarters of the bytes at each norm are a quarter less; a curve that does not meet the other is left out."""
    avif = [(0.1, 6.0), (0.2, 3.0), (0.4, 1.5), (0.8, 0.8), (1.6, 0.4)]
    less = [(0.75 * bpp, norm) for bpp, norm in avif]
    coarse = [(0.1, 9.0), (0.2, 8.0)]
    one = {"ours": less, "avif": avif, "jpeg": avif}
    assert TOOL["changes"]([one], "ours", "avif", 3.0, 1.5) == pytest.approx([-25])
    text = TOOL["table"]([one, one | {"ours": coarse}])
    assert "| ours | -25.0 % (1) | -25.0 % (1) | -25.0 % (1) | -25.0 % (1) |" in text
