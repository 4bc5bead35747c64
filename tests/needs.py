"""Marks for tests that need a part of PIL which it can be built without; pillow-simd from source mostly is."""

from __future__ import annotations

import pytest
from PIL import features


def needs(*parts: str) -> pytest.MarkDecorator:
    """Skip a test, and say why, where PIL was built without one of these parts, as PIL.features calls them."""
    missing = [part for part in parts if not features.check(part)]
    return pytest.mark.skipif(bool(missing), reason=f"PIL was built without {', '.join(missing)}")


def param(value: object, *parts: str) -> object:
    """Return a parameter of a test that needs these parts; their names are those of the formats in lower case."""
    return pytest.param(value, marks=needs(*parts))
