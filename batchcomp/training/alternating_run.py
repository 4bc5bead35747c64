"""One run of alternating training: settings, optimisers, dev set, checkpoint, log."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from batchcomp.codec import weights
from batchcomp.codec.networks.jiang2017 import Jiang2017Network
from batchcomp.codec.networks.jiang2017_shape import Jiang2017Architecture
from batchcomp.errors import TrainingError
from batchcomp.settings import available_cores
from batchcomp.training import checkpoint
from batchcomp.training.alternating import LOSSES, LossName, TurnLoss, com_turn, rec_turn
from batchcomp.training.alternating_log import AlternatingLog, TurnScores
from batchcomp.training.data import CropSource, split_folder
from batchcomp.training.evaluate import DevSet
from batchcomp.training.joint import Pace, Progress, draw_coarsenesses
from batchcomp.training.schedule import Schedule
from batchcomp.training.turns import Turn, Turns

MAY_CHANGE = frozenset({"steps", "patience", "log_every", "evaluate_every", "save_minutes"})  # when a run is resumed
MIN_CROP, MIN_MS_SSIM_CROP = 32, 176  # five MS-SSIM scales need more than 160 px
SCORED_PHOTOS, SCORED_SIDE, SCORED_COARSENESSES = 12, 192, (8.0, 4.0)


@dataclass(frozen=True, kw_only=True)
class AlternatingSettings:
    """One run. `steps` may be raised when resuming; the learning rate is flat, then falls."""

    steps: int = 1200
    batch: int = 8
    crop: int = 48
    seed: int = 0
    turns: Turns = field(default_factory=Turns)
    loss: LossName = "mse"
    rate: float = 1e-3  # weight of the estimated bits in ComCNN's turn; 0: as in the paper, which has no rate
    learning_rate: float = 5e-4
    warm_up: int = 50
    decay_share: float = 0.5
    final_rate: float = 0.02  # of learning_rate, at the last step
    weight_decay: float = 1e-2  # decoupled (AdamW): the share of a weight that goes a step, over the learning rate
    clip: float = 0.1  # gradient norm
    ema: float = 0.99  # memory of the running average that is scored and kept
    patience: int = 6  # evaluations without a better dev score before training stops
    log_every: int = 20
    evaluate_every: int = 200
    save_minutes: float = 3.0
    architecture: Jiang2017Architecture = field(default_factory=Jiang2017Architecture)

    def __post_init__(self) -> None:
        """Raise TrainingError where the numbers make no run."""
        if self.loss not in LOSSES:
            raise TrainingError(f"loss {self.loss!r}: expected one of {', '.join(LOSSES)}")
        least = MIN_CROP if self.loss == "mse" else MIN_MS_SSIM_CROP
        if self.crop < least or self.crop % 16:
            raise TrainingError(f"crop {self.crop}: expected a multiple of 16 from {least} on with loss {self.loss}")
        if self.steps < 1 or self.batch < 1 or self.patience < 1:
            raise TrainingError(
                f"{self.steps} steps of {self.batch} crops, patience {self.patience}: expected at least one of each"
            )
        if not (math.isfinite(self.rate) and self.rate >= 0):
            raise TrainingError(f"rate {self.rate}: expected a number from 0 on")

    def rate_at(self, step: int) -> float:
        """Learning rate: linear warm-up, flat, cosine down over the last `decay_share` of the steps."""
        schedule = Schedule(
            steps=self.steps,
            peak=self.learning_rate,
            warm_up=self.warm_up,
            decay_share=self.decay_share,
            final_rate=self.final_rate,
        )
        return schedule.at(step)


@dataclass(frozen=True, kw_only=True)
class TurnProgress(Progress):
    """The same, and whose turn it was."""

    turn: Turn


class AlternatingTrainer:
    """Owns the nets, their running average (EMA), an optimiser for each, and the run folder.

    The folder holds `checkpoint.pt` (exact resume), `log.csv` and `best.safetensors` (best averages by the dev set, the
    normalisation fused in).
    """

    score_name: ClassVar[str] = "dev BD-rate"

    def __init__(self, photos: Path, run: Path, settings: AlternatingSettings, *, device: str = "cpu") -> None:
        """Begin a run, or go on with the one that the folder holds.

        Raises:
            TrainingError: the photos make no training set, or the folder holds another run.
        """
        self.settings, self.run, self.device = settings, run, torch.device(device)
        split = split_folder(photos, crop=max(settings.crop, MIN_MS_SSIM_CROP))
        self.source = CropSource(split.train, crop=settings.crop, batch=settings.batch, seed=settings.seed)
        self.dev, self.seen = (scored(photos) for photos in (split.dev, split.train))
        checkpoint.make_folder(run)
        torch.manual_seed(settings.seed)
        self.network = Jiang2017Network(settings.architecture, normalised=True).placed(self.device)
        self.ema = Jiang2017Network(settings.architecture, normalised=True).placed()
        self.ema.load_state_dict(self.network.state_dict())
        self.optimisers: dict[Turn, torch.optim.Optimizer] = {
            turn: torch.optim.AdamW(net.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
            for turn, net in self._nets().items()
        }
        self.step, self.seconds, self.best, self.best_step = 0, 0.0, math.inf, 0
        self._pending: list[list[float]] = []
        self._within_step = False
        self._resume()
        self.log = AlternatingLog(run / "log.csv", after_step=self.step, pending=self._pending)

    def _nets(self) -> dict[Turn, nn.Module]:
        return {"com": self.network.com, "rec": self.network.rec}

    @property
    def checkpoint_path(self) -> Path:
        return self.run / "checkpoint.pt"

    @property
    def best_path(self) -> Path:
        return self.run / "best.safetensors"

    @property
    def stopped_early(self) -> bool:
        """Whether the dev score has not improved for as long as `patience` allows."""
        return self.step - self.best_step >= self.settings.patience * self.settings.evaluate_every

    def _resume(self) -> None:
        if not self.checkpoint_path.exists():
            return
        state = checkpoint.load(self.checkpoint_path)
        checkpoint.check_same(state, asdict(self.settings), MAY_CHANGE, self.source.fingerprint, self.run)
        self.network.load_state_dict(state.network)
        self.ema.load_state_dict(state.ema)
        for turn, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state.optimiser[turn])
        self.step, self.seconds, self.best_step = state.step, state.seconds, state.best_step
        self.best = state.best if self.best_path.exists() else math.inf
        self._pending = state.pending

    def save(self) -> None:
        """Write the checkpoint."""
        checkpoint.save(
            checkpoint.Checkpoint(
                step=self.step,
                seconds=self.seconds,
                settings=asdict(self.settings),
                network=self.network.state_dict(),
                ema=self.ema.state_dict(),
                optimiser={turn: optimiser.state_dict() for turn, optimiser in self.optimisers.items()},
                best=self.best,
                best_step=self.best_step,
                pending=self.log.pending,
                photos=self.source.fingerprint,
            ),
            self.checkpoint_path,
        )

    def learn(self, x: Tensor, rng: np.random.Generator, workers: Executor) -> TurnLoss:
        """One step of the net whose turn it is, on one batch."""
        self._within_step = True
        turn, optimiser = self.turn, self.optimisers[self.turn]
        for group in optimiser.param_groups:
            group["lr"] = self.settings.rate_at(self.step)
        coarseness, x = draw_coarsenesses(rng, len(x)).to(self.device), x.to(self.device)
        if turn == "rec":
            loss = rec_turn(self.network, x, coarseness, self.settings.loss, workers)
        else:
            loss = com_turn(self.network, x, coarseness, self.settings.loss, self.settings.rate)
        optimiser.zero_grad(set_to_none=True)
        loss.total.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self._nets()[turn].parameters(), self.settings.clip)
        if bool(torch.isfinite(norm)):  # a flat crop can make MS-SSIM's roots infinitely steep: leave it out
            optimiser.step()
        self._average()
        self.step += 1
        self.log.add(loss)
        self._within_step = False
        return loss

    @torch.no_grad()
    def _average(self) -> None:
        """Follow weights and batch statistics with a running average whose memory grows to `ema`."""
        decay = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        for mean, value in zip(self.ema.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(value.to(mean.device), 1 - decay)

    @property
    def turn(self) -> Turn:
        """The net that learns in the next step."""
        return self.settings.turns.at(self.step)

    def evaluate(self) -> TurnScores:
        """Score the running average as it would be used; keep it as `best.safetensors` where it is the best so far."""
        data = weights.to_bytes(self.ema.fused())
        network = weights.from_bytes(data, str(self.best_path)).network  # 16 bits, as users get it
        scores = TurnScores(dev=self.dev.score(network), seen=self.seen.score(network))
        if scores.dev.bd_rate < self.best:
            self.best, self.best_step = scores.dev.bd_rate, self.step
            checkpoint.write_atomically(self.best_path, data)
        return scores

    def train(self, on_progress: Callable[[TurnProgress], None] = lambda _: None) -> None:
        """Run until `settings.steps`, or until the dev score no longer improves.

        What ends it between two steps finds the checkpoint written; a step that was torn by an interruption is not
        saved: the last periodic checkpoint stands.

        Raises:
            TrainingError: another process trains in the same folder, or the disk fails.
        """
        with checkpoint.held(self.run), ThreadPoolExecutor(available_cores()) as workers:
            try:
                self._loop(workers, on_progress)
            finally:
                if not self._within_step:
                    self.save()

    def _loop(self, workers: Executor, on_progress: Callable[[TurnProgress], None]) -> None:
        before, saved, pace = self.seconds - time.process_time(), time.monotonic(), Pace()
        if self.step == 0:
            self._report(self.evaluate(), pace, on_progress)  # where it starts: bicubic + JPEG
        for _, x, rng in self.source.batches(self.step, self.settings.steps):
            if self.stopped_early:
                return
            began, turn = time.monotonic(), self.turn
            self.learn(x, rng, workers)
            pace.add(time.monotonic() - began)
            due = self.step == self.settings.steps or self.step % self.settings.evaluate_every == 0
            scores = self.evaluate() if due else None
            self.seconds = before + time.process_time()
            if due or self.step % self.settings.log_every == 0 or self.turn != turn:
                self._report(scores, pace, on_progress)
            if time.monotonic() - saved > self.settings.save_minutes * 60:
                self.save()
                saved = time.monotonic()

    def _report(self, scores: TurnScores | None, pace: Pace, on_progress: Callable[[TurnProgress], None]) -> None:
        turn = self.settings.turns.at(max(0, self.step - 1))
        loss = self.log.write(self.step, self.seconds, self.settings.rate_at(self.step), turn, scores)
        on_progress(
            TurnProgress(
                step=self.step,
                steps=self.settings.steps,
                seconds=self.seconds,
                seconds_a_step=pace.mean,
                loss=loss,
                dev=scores.dev if scores else None,
                turn=turn,
            )
        )


def scored(photos: Sequence[Path]) -> DevSet:
    """Few and small crops, at the rates that count: RecCNN takes its time."""
    return DevSet(photos, count=SCORED_PHOTOS, side=SCORED_SIDE, coarsenesses=SCORED_COARSENESSES)
