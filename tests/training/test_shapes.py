"""The shapes that `train` makes."""

from __future__ import annotations

import pytest

from batchcomp.codec import weights
from batchcomp.training.shapes import RECIPES


@pytest.mark.parametrize(("recipe", "model"), [("default", "default"), ("fast", "fast"), ("full-size", "default-fine")])
def test_recipes_are_those_of_the_shipped_models(recipe: str, model: str) -> None:
    """`train --shape` makes networks of the shapes that ship."""
    assert RECIPES[recipe].architecture == weights.load_shipped(model).network.arch
