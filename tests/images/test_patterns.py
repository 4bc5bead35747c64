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
        ("[2023] trip/b.jpg", "[2023] trip/b.jpg", True),
        ("[2023] trip/b.jpg", "2 trip/b.jpg", True),
        ("[2023] trip", "[2023] trip", True),
        ("[2023] trip/*.jpg", "[2023] trip/b.jpg", True),
        ("[2023] trip/*.jpg", "[2023] trip/sub/b.jpg", False),
        ("*[1].jpg", "x/copy[1].jpg", True),
        ("what?*.jpg", "x/what?*.jpg", True),
        ("a\\b.jpg", "x/a%5Cb.jpg", True),
        ("a%5Cb.jpg", "a%5Cb.jpg", True),
        ("a\nb/*", "a%0Ab/c.jpg", True),
        ("100%.jpg", "100%.jpg", True),
    ],
)
def test_patterns(pattern: str, name: str, matches: bool) -> None:
    """Each pattern matches exactly what the documentation says."""
    assert compile_patterns([pattern])(name) is matches
