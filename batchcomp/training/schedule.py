"""How the learning rate goes over a run."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Linear warm-up, flat, cosine down over the last `decay_share` of the steps to `final_rate` of the peak."""

    steps: int
    peak: float
    warm_up: int
    decay_share: float
    final_rate: float

    def at(self, step: int) -> float:
        """Learning rate of step number `step`, from 0 on; beyond the last one it stays where it ended."""
        decay_from = self.steps * (1 - self.decay_share)
        if step < decay_from:
            return self.peak * min(1.0, (step + 1) / self.warm_up)
        progress = (step - decay_from) / max(1.0, self.steps - decay_from)
        fall = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
        return self.peak * (self.final_rate + (1 - self.final_rate) * fall)
