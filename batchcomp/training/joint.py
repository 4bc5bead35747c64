"""Joint training: ComCNN, RecCNN and the quantisation tables learn together through a differentiable JPEG."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from batchcomp.codec import weights
from batchcomp.codec.networks import untrained
from batchcomp.codec.networks.base import CodecNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.codec.networks.shape import NetworkShape
from batchcomp.codec.tables import COARSEST, FINEST, MAX_NETWORK_QUALITY, quality_to_coarseness
from batchcomp.errors import TrainingError
from batchcomp.metrics.objective import PHASES, LossWeights, Phase
from batchcomp.training import checkpoint
from batchcomp.training.data import CropSource, split_folders
from batchcomp.training.dev_sets import DevSets
from batchcomp.training.evaluate import DevScore
from batchcomp.training.exact import begin
from batchcomp.training.jpeg_proxy import jpeg
from batchcomp.training.log import DevLog, TrainingLog
from batchcomp.training.losses import Coded, Losses, mixed_loss
from batchcomp.training.schedule import Schedule

MAY_CHANGE = frozenset({"steps", "decay_share", "log_every", "evaluate_every", "save_minutes"})  # when a run is resumed
FITTED_ON = 8  # batches that the grids of a newly exact network are fitted to
MIN_CROP = 176  # five MS-SSIM scales need more than 160 px


@dataclass(frozen=True, kw_only=True)
class JointSettings:
    """One run. `steps` may be raised when resuming; the learning rate is flat, then falls."""

    steps: int = 10_000
    batch: int = 6
    crop: int = 192
    seed: int = 0
    learning_rate: float = 8e-4
    table_gain: float = 5.0  # learning rate of the quantisation tables, times that of the nets
    warm_up: int = 300
    decay_share: float = 0.4
    final_rate: float = 0.02  # of learning_rate, at the last step
    clip: float = 1.0  # gradient norm
    ema: float = 0.998
    log_every: int = 50
    evaluate_every: int = 1000
    save_minutes: float = 4.0
    loss: LossWeights = field(default_factory=LossWeights)
    architecture: NetworkShape = field(default_factory=ResidualArchitecture)
    decoder_only: bool = False  # RecCNN alone learns: payloads stay as they were, byte for byte

    def __post_init__(self) -> None:
        """Raise TrainingError where the numbers make no run."""
        if self.crop < MIN_CROP or self.crop % 16:
            raise TrainingError(f"crop {self.crop}: expected a multiple of 16 from {MIN_CROP} on")
        if self.steps < 1 or self.batch < 1:
            raise TrainingError(f"{self.steps} steps of {self.batch} crops: expected at least one of each")

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


def draw_coarsenesses(rng: np.random.Generator, count: int, finest: float = FINEST) -> Tensor:
    """Coarsenesses (count,), log-uniform from `finest` to the coarsest there is, stratified within the batch."""
    fractions = (np.arange(count) + rng.random(count)) / count
    low, high = math.log(finest), math.log(COARSEST)
    return torch.from_numpy(np.exp(low + (high - low) * fractions)).float()


def forward(network: CodecNetwork, x: Tensor, coarseness: Tensor, loss: LossWeights, phase: Phase = (0, 0)) -> Losses:
    """Originals x (B, 3, H, W) through the whole codec: x -> compact -> JPEG -> restored."""
    log_coarseness = torch.log2(coarseness)
    compact = network.com(x, log_coarseness)  # (B, 3, H/2, W/2)
    decoded, bits = jpeg(compact, network.log_tables_at(coarseness))
    restored = network.rec(decoded, log_coarseness)  # (B, 3, H, W)
    return mixed_loss(x, Coded(restored=restored, compact=compact, bits=bits, coarseness=coarseness), loss, phase)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What a front end may show while training runs."""

    step: int
    steps: int
    seconds: float
    seconds_a_step: float  # of late
    loss: float
    dev: DevScore | None


class Pace:
    """A running mean of the seconds a step takes."""

    def __init__(self) -> None:
        self.mean = 0.0

    def add(self, seconds: float) -> None:
        self.mean = 0.95 * self.mean + 0.05 * seconds if self.mean else seconds


class JointTrainer:
    """Owns the nets, their running average (EMA), the optimiser and the run folder.

    The folder holds `checkpoint.pt` (exact resume), `log.csv`, `dev.csv` (dev scores of each folder of photos) and
    `best.safetensors` (best EMA weights by the mean of both BD-rates, over the folders).
    """

    score_name: ClassVar[str] = "mean of the dev BD-rates by MS-SSIM and by SSIMULACRA2"

    def __init__(
        self,
        photos: Path | Sequence[Path],
        run: Path,
        settings: JointSettings,
        *,
        device: str = "cpu",
        start: CodecNetwork | None = None,
    ) -> None:
        """Begin a run, or go on with the one that the folder holds.

        Args:
            photos: a folder of photos, or several; one that is named twice is drawn from twice as often.
            run: the run's folder.
            settings: the same as when the run began, but for those in `MAY_CHANGE`.
            device: where the networks learn.
            start: trained networks that a new run begins with.

        Raises:
            TrainingError: the photos make no training set, or the folder holds another run.
        """
        self.settings, self.run, self.device = settings, run, torch.device(device)
        splits = split_folders([photos] if isinstance(photos, Path) else photos, crop=settings.crop)
        train = [photo for _, split in splits for photo in split.train]
        self.source = CropSource(train, crop=settings.crop, batch=settings.batch, seed=settings.seed)
        full_size = settings.architecture.scale == 1
        self.finest = FINEST if full_size else quality_to_coarseness(MAX_NETWORK_QUALITY)
        self.dev = DevSets(splits, full_size=full_size)
        checkpoint.make_folder(run)
        torch.manual_seed(settings.seed)
        self.network = untrained(settings.architecture).placed(self.device)
        if start is not None:
            begin(self.network, start.placed(self.device), partial(self._examples, FITTED_ON))
        if settings.decoder_only:
            self.network.requires_grad_(requires_grad=False)
            self.network.rec.requires_grad_()
        self.ema = untrained(settings.architecture).placed()
        self.ema.load_state_dict(self.network.state_dict())
        self.ema.requires_grad_(requires_grad=False)
        self.optimiser = torch.optim.Adam(self._parameter_groups(), lr=settings.learning_rate)
        self.step, self.seconds, self.best = 0, 0.0, math.inf
        self._pending: list[list[float]] = []
        self._within_step = False
        self._resume()
        self.log = TrainingLog(run / "log.csv", after_step=self.step, pending=self._pending)
        self.dev_log = DevLog(run / "dev.csv", after_step=self.step)

    def _examples(self, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
        """What the first steps learn from: photos and coarsenesses."""
        for _, x, rng in self.source.batches(0, steps):
            yield x.to(self.device), draw_coarsenesses(rng, len(x), self.finest).to(self.device)

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """The tables live in logarithms, where a useful change is large: they learn faster than the nets."""
        named = list(self.network.named_parameters())
        nets = [p for name, p in named if not name.startswith("log_")]
        tables = [p for name, p in named if name.startswith("log_")]
        return [{"params": nets, "gain": 1.0}, {"params": tables, "gain": self.settings.table_gain}]

    @property
    def checkpoint_path(self) -> Path:
        return self.run / "checkpoint.pt"

    @property
    def best_path(self) -> Path:
        return self.run / "best.safetensors"

    def _resume(self) -> None:
        if not self.checkpoint_path.exists():
            return
        state = checkpoint.load(self.checkpoint_path)
        checkpoint.check_same(state, asdict(self.settings), MAY_CHANGE, self.source.fingerprint, self.run)
        self.network.load_state_dict(state.network)
        self.ema.load_state_dict(state.ema)
        self.optimiser.load_state_dict(state.optimiser)
        self.step, self.seconds = state.step, state.seconds
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
                optimiser=self.optimiser.state_dict(),
                best=self.best,
                pending=self.log.pending,
                photos=self.source.fingerprint,
            ),
            self.checkpoint_path,
        )

    def learn(self, x: Tensor, rng: np.random.Generator) -> Losses:
        """One step of Adam on one batch."""
        self._within_step = True
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.rate_at(self.step) * group["gain"]
        coarseness = draw_coarsenesses(rng, len(x), self.finest).to(self.device)
        x = x.to(self.device, memory_format=torch.channels_last)
        phase = int(rng.integers(PHASES)), int(rng.integers(PHASES))
        losses = forward(self.network, x, coarseness, self.settings.loss, phase)
        self.optimiser.zero_grad(set_to_none=True)
        losses.total.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        if bool(torch.isfinite(norm)):  # a flat crop can make MS-SSIM's roots infinitely steep: leave it out
            self.optimiser.step()
        self._average()
        self.step += 1
        self.log.add(losses)
        self._within_step = False
        return losses

    @torch.no_grad()
    def _average(self) -> None:
        """Follow the weights with a running average whose memory grows to `ema`."""
        decay = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        for mean, value in zip(self.ema.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(value.to(mean.device), 1 - decay)

    def evaluate(self) -> DevScore:
        """Score the running average on the dev sets; keep it as `best.safetensors` where it is the best so far."""
        score = self.dev.score(self.ema, self.step, self.dev_log)
        if score.mean_bd_rate < self.best:
            self.best = score.mean_bd_rate
            checkpoint.write_atomically(self.best_path, weights.to_bytes(self.ema))
        return score

    def train(self, on_progress: Callable[[Progress], None] = lambda _: None) -> None:
        """Run until `settings.steps`; what ends it early between two steps finds the checkpoint written.

        A step that was torn by an interruption is not saved: the last periodic checkpoint stands.

        Raises:
            TrainingError: another process trains in the same folder, or the disk fails.
        """
        with checkpoint.held(self.run):
            try:
                self._loop(on_progress)
            finally:
                if not self._within_step:
                    self.save()

    def _loop(self, on_progress: Callable[[Progress], None]) -> None:
        last = saved = time.monotonic()
        pace = Pace()
        for _, x, rng in self.source.batches(self.step, self.settings.steps):
            self.learn(x, rng)
            now = time.monotonic()
            self.seconds += now - last
            pace.add(now - last)
            due = self.step == self.settings.steps or self.step % self.settings.evaluate_every == 0
            dev = self.evaluate() if due else None
            last = time.monotonic()
            if due or self.step % self.settings.log_every == 0:
                loss = self.log.write(self.step, self.seconds, self.settings.rate_at(self.step), dev)
                on_progress(
                    Progress(
                        step=self.step,
                        steps=self.settings.steps,
                        seconds=self.seconds,
                        seconds_a_step=pace.mean,
                        loss=loss,
                        dev=dev,
                    )
                )
            if now - saved > self.settings.save_minutes * 60:
                self.save()
                saved = now
