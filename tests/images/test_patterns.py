"""What a glob matches."""

from __future__ import annotations

import pytest

from batchcomp.images.patterns import compile_patterns


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*.jpg", "x/y.jpg", True),
        ("*.jpg", "x.jpg/y", False),
        ("x/*.jpg", "x/y.jpg", True),
        ("x/*.jpg", "w/x/y.jpg", False),
        ("x/*.jpg", "x/z/y.jpg", False),
        ("**/y.jpg", "y.jpg", True),
        ("x/**", "x/y/z", True),
        ("IMG_?.jpg", "IMG_12.jpg", False),
        ("[a-c].jpg", "b.jpg", True),
        ("[!a-c].jpg", "b.jpg", False),
        ("a.jpg", "aXjpg", False),
        ("*.JPG", "a.jpg", False),
        ("[", "[", True),
    ],
)
def test_patterns(pattern: str, name: str, matches: bool) -> None:
    """Each pattern matches exactly what the documentation says."""
    assert compile_patterns([pattern])(name) is matches
