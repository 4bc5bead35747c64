"""What every training run does on the command line: threads, progress, the last line."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from batchcomp.cli import console

if TYPE_CHECKING:
    from batchcomp.training.alternating_run import AlternatingTrainer
    from batchcomp.training.joint import JointTrainer, Progress


def prepare(device: str, threads: int) -> str:
    """Set torch's threads and return the device to train on."""
    import torch

    from batchcomp.codec.codec import choose_device

    if threads:
        torch.set_num_threads(threads)
    return str(choose_device(device))


def run(trainer: JointTrainer | AlternatingTrainer) -> None:
    """Train to the end and say what came of it."""
    if trainer.step:
        console.say_progress(f"resuming at step {trainer.step} of {trainer.settings.steps}")
    train: Callable[[Callable[[Progress], None]], None] = trainer.train
    train(_say_progress)
    if math.isfinite(trainer.best):
        text = f"best {trainer.score_name} against JPEG: {trainer.best:.1f} %; use it with --model {trainer.best_path}"
    else:
        text = "no dev score yet: the curves of model and JPEG do not meet; train on with more --steps"
    typer.echo(console.shown(text))


def _say_progress(at: Progress) -> None:
    left = at.seconds_a_step * (at.steps - at.step)
    text = f"step {at.step}/{at.steps}  loss {at.loss:.4f}  {_clock(left)} left"
    if at.dev:
        text += f"  dev BD-rate {at.dev.bd_rate:.1f} %, by SSIMULACRA2 {at.dev.ssimulacra2_bd_rate:.1f} %"
        text += f", PSNR against JPEG {at.dev.psnr_gain:+.2f} dB"
    console.say_progress(text)


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
