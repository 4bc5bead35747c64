"""Distillation: small nets begin by doing what trained larger ones do (Hinton et al. 2015, arXiv 1503.02531)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from batchcomp.codec.networks.base import CodecNetwork
from batchcomp.codec.tables import MAX_NETWORK_QUALITY, quality_to_coarseness
from batchcomp.training.data import CropSource
from batchcomp.training.joint import draw_coarsenesses
from batchcomp.training.jpeg_proxy import jpeg
from batchcomp.training.schedule import Schedule

FLOOR = 1e-6  # of squared errors, for their logarithms


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """One run: Adam, a warm-up, a flat rate, then down over the last `decay_share` of the steps."""

    steps: int = 600
    learning_rate: float = 2e-3
    warm_up: int = 30
    decay_share: float = 0.5
    final_rate: float = 0.3
    clip: float = 1.0  # gradient norm


def distance(student: CodecNetwork, teacher: CodecNetwork, x: Tensor, coarseness: Tensor) -> Tensor:
    """Ln MSE of the compact pictures plus ln MSE of the restored ones, for photos x (B, 3, H, W) and coarsenesses (B,).

    Both RecCNNs see the teacher's payload, so that each half of the student learns by itself.
    """
    log_coarseness = torch.log2(coarseness)
    with torch.no_grad():
        compact = teacher.com(x, log_coarseness)
        decoded, _ = jpeg(compact, teacher.log_tables_at(coarseness))
        restored = teacher.rec(decoded, log_coarseness)
    pairs = (student.com(x, log_coarseness), compact), (student.rec(decoded, log_coarseness), restored)
    errors = [(ours - theirs).square().mean(dim=(1, 2, 3)) for ours, theirs in pairs]
    return torch.stack([torch.log(error + FLOOR).mean() for error in errors]).sum()


def distil(
    student: CodecNetwork,
    teacher: CodecNetwork,
    source: CropSource,
    settings: Distillation,
    on_step: Callable[[int, float], None] = lambda _step, _loss: None,
) -> None:
    """Teach `student`, in place; the quantisation tables, where both learn theirs, are the teacher's."""
    known = {key: value for key, value in teacher.state_dict().items() if key.startswith("log_")}
    student.load_state_dict(known, strict=False)
    nets = [*student.com.parameters(), *student.rec.parameters()]
    optimiser = torch.optim.Adam(nets)
    schedule = Schedule(
        steps=settings.steps,
        peak=settings.learning_rate,
        warm_up=settings.warm_up,
        decay_share=settings.decay_share,
        final_rate=settings.final_rate,
    )
    for number, x, rng in source.batches(0, settings.steps):
        optimiser.param_groups[0]["lr"] = schedule.at(number)
        loss = distance(student, teacher, x.contiguous(memory_format=torch.channels_last), _coarsenesses(rng, len(x)))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(nets, settings.clip)
        optimiser.step()
        on_step(number, float(loss.detach()))


def _coarsenesses(rng: np.random.Generator, count: int) -> Tensor:
    """Coarsenesses (count,), as in joint training at half size."""
    return draw_coarsenesses(rng, count, quality_to_coarseness(MAX_NETWORK_QUALITY))
