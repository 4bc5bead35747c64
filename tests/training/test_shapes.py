"""The shapes that `train` makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchcomp.cli.train import Method, Shape, train
from batchcomp.codec import weights
from batchcomp.errors import UsageError
from batchcomp.training.shapes import RECIPES


@pytest.mark.parametrize(("recipe", "model"), [("default", "default"), ("fast", "fast"), ("full-size", "default-fine")])
def test_recipes_are_those_of_the_shipped_models(recipe: str, model: str) -> None:
    """`train --shape` makes networks of the shapes that ship."""
    assert RECIPES[recipe].architecture == weights.load_shipped(model).network.arch


def test_shapes_belong_to_joint_training(tmp_path: Path) -> None:
    """Alternating training has one shape, which `--shape` cannot change."""
    with pytest.raises(UsageError, match="--shape: only --method joint has it"):
        train(tmp_path, tmp_path / "run", method=Method.alternating, shape=Shape.fast)
