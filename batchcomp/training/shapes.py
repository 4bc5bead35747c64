"""The shapes that `train joint` offers: those of the shipped models."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.codec.networks.shape import NetworkShape
from batchcomp.metrics.objective import FULL_SIZE


@dataclass(frozen=True, kw_only=True)
class ModelRecipe:
    """Nets, and where their training differs from the defaults of `JointSettings`."""

    architecture: NetworkShape
    settings: dict[str, Any] = field(default_factory=dict)


RECIPES = {
    "fast": ModelRecipe(
        architecture=ResidualArchitecture(
            com_width=32, rec_width=32, com_blocks=2, rec_blocks=4, gains=True, bands=True, phases=True, exact=True
        ),
        settings={"batch": 4, "crop": 256, "learning_rate": 5e-4, "decay_share": 0.6},
    ),
    "default": ModelRecipe(
        architecture=ResidualArchitecture(
            rec_blocks=4,
            mid_width=112,
            com_mid_blocks=2,
            rec_mid_blocks=2,
            gains=True,
            bands=True,
            phases=True,
            exact=True,
        ),
        settings={"batch": 4, "crop": 256, "learning_rate": 6e-4, "ema": 0.999},
    ),
    "full-size": ModelRecipe(
        architecture=ResidualArchitecture(
            scale=1,
            com_width=32,
            com_blocks=2,
            rec_blocks=4,
            mid_width=96,
            com_mid_blocks=1,
            rec_mid_blocks=2,
            gains=True,
            bands=True,
            phases=True,
            exact=True,
        ),
        # Tables that learned at weights of the rate that hardly differ would drift towards one another.
        settings={
            "batch": 4,
            "crop": 256,
            "learning_rate": 4e-4,
            "decay_share": 0.6,
            "table_gain": 0.0,
            "loss": FULL_SIZE,
        },
    ),
}
