"""What every training run does on the command line: threads, progress, the last line."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import typer

from batchcomp.amount import Amount
from batchcomp.cli import console
from batchcomp.cli.gauge import showing

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
    with showing("Training") as amount:
        amount.begin("steps", trainer.settings.steps)
        amount.reach(trainer.step)
        train(partial(_note, amount))
    if math.isfinite(trainer.best):
        text = f"best {trainer.score_name} against JPEG: {trainer.best:.1f} %; use it with --model {trainer.best_path}"
    else:
        text = "no dev score yet: the curves of model and JPEG do not meet; train on with more --steps"
    typer.echo(console.shown(text))


def _note(amount: Amount, at: Progress) -> None:
    """Show how far it is; a dev score stays to be read."""
    amount.reach(at.step, f"loss {at.loss:.4f}")
    if at.dev:
        text = f"step {at.step}/{at.steps}  loss {at.loss:.4f}"
        text += f"  dev BD-rate {at.dev.bd_rate:.1f} %, by SSIMULACRA2 {at.dev.ssimulacra2_bd_rate:.1f} %"
        text += f", PSNR against JPEG {at.dev.psnr_gain:+.2f} dB"
        console.say_progress(text)
