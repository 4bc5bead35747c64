"""The shapes that `train joint` offers: those of the shipped models."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.codec.networks.shape import NetworkShape
from batchcomp.metrics.objective import LossWeights


@dataclass(frozen=True, kw_only=True)
class ModelRecipe:
    """Nets, and where their training differs from the defaults of `JointSettings`."""

    architecture: NetworkShape
    settings: dict[str, Any] = field(default_factory=dict)


# SSIMULACRA2 counts at every coarseness; with a larger share MS-SSIM pays for it.
SSIMULACRA2_THROUGHOUT = LossWeights(hard=0.6, ssimulacra2=0.6, ssimulacra2_full=20.0, ssimulacra2_none=40.0)

RECIPES = {
    "fast": ModelRecipe(
        architecture=ResidualArchitecture(
            com_width=32, rec_width=32, com_blocks=2, rec_blocks=4, gains=True, bands=True, phases=True, exact=True
        ),
        settings={"batch": 4, "crop": 256, "learning_rate": 5e-4, "decay_share": 0.6, "loss": SSIMULACRA2_THROUGHOUT},
    ),
    "default": ModelRecipe(
        architecture=ResidualArchitecture(
            rec_blocks=4, mid_width=112, com_mid_blocks=2, rec_mid_blocks=2, gains=True, bands=True, phases=True
        ),
        settings={"batch": 4, "crop": 256, "learning_rate": 6e-4, "ema": 0.999, "loss": SSIMULACRA2_THROUGHOUT},
    ),
    "full-size": ModelRecipe(
        architecture=ResidualArchitecture(
            scale=1, com_width=32, com_blocks=2, rec_blocks=4, gains=True, bands=True, phases=True, exact=True
        ),
        # A bit buys about as much at all of its rates, which are high: the weight of the rate hardly changes. Tables
        # that learn would then drift towards one another, so that the qualities would span little.
        settings={
            "batch": 4,
            "crop": 256,
            "learning_rate": 4e-4,
            "decay_share": 0.6,
            "table_gain": 0.0,
            "loss": LossWeights(
                ms_ssim_coarse=0.75,
                rate=0.9,
                rate_power=0.15,
                ssimulacra2=0.6,
                ssimulacra2_full=20.0,
                ssimulacra2_none=40.0,
            ),
        },
    ),
}
