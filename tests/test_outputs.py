"""Which format and suffix a picture is restored with."""

from __future__ import annotations

import pytest

from batchcomp.outputs import FORMATS, OUTPUTS, SOURCE, output_for, suffix_for


@pytest.mark.parametrize(
    ("path", "alpha", "expected"),
    [
        ("a/b.JPG", False, ("jpeg", ".JPG")),
        ("b.jpeg", False, ("jpeg", ".jpeg")),
        ("b.png", True, ("png", ".png")),
        ("b.webp", False, ("webp", ".webp")),
        ("b.avif", True, ("avif", ".avif")),
        ("b.jxl", False, ("jxl", ".jxl")),
        ("b.heic", False, ("jpeg", ".jpg")),
        ("b.heic", True, ("png", ".png")),
        ("b.jpg", True, ("png", ".png")),  # JPEG has no alpha channel
        ("b.tif", False, ("png", ".png")),
        ("b.bmp", False, ("png", ".png")),
        ("b.nef", False, ("png", ".png")),
        ("b", False, ("png", ".png")),
    ],
)
def test_each_picture_in_its_own_format(path: str, alpha: bool, expected: tuple[str, str]) -> None:
    """A suffix stays where the format does; what is not written here becomes JPEG if it was lossy, else PNG."""
    chosen = output_for(SOURCE, alpha=alpha, path=path)
    assert (chosen, suffix_for(SOURCE, chosen, path)) == expected


def test_other_formats_ignore_the_path() -> None:
    """One that was named holds for all."""
    assert (*OUTPUTS, "source") == FORMATS
    for name in OUTPUTS:
        assert output_for(name, alpha=False, path="a.gif") == name
        assert suffix_for(name, name, "a.JPEG") == OUTPUTS[name].suffix
