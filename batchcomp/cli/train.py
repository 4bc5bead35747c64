"""`batchcomp train`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchcomp.cli import console

if TYPE_CHECKING:
    from batchcomp.training.joint import Progress


def train(
    photos: Annotated[Path, typer.Argument(help="A folder of photos; a twentieth is held out to select on.")],
    run: Annotated[Path, typer.Option(help="Folder of this run: checkpoint, log.csv, best.safetensors.")],
    steps: Annotated[int, typer.Option(min=1, help="Steps in all; raise it to go on with a finished run.")] = 10_000,
    batch: Annotated[int, typer.Option(min=1, help="Crops a step.")] = 6,
    crop: Annotated[int, typer.Option(help="Side of the crops in pixels, a multiple of 16 from 176 on.")] = 192,
    seed: Annotated[int, typer.Option(help="Where the random draws start.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="Threads for the networks; 0: as torch chooses.")] = 0,
) -> None:
    """Train a model on your own photos. ComCNN, RecCNN and their tables; run it again to resume."""
    import torch

    from batchcomp.codec.codec import choose_device
    from batchcomp.training.joint import JointSettings, JointTrainer

    if threads:
        torch.set_num_threads(threads)
    settings = JointSettings(steps=steps, batch=batch, crop=crop, seed=seed)
    trainer = JointTrainer(photos, run, settings, device=str(choose_device(device)))
    if trainer.step:
        console.say_progress(f"resuming at step {trainer.step} of {steps}")
    trainer.train(_say_progress)
    if math.isfinite(trainer.best):
        text = f"best dev BD-rate against JPEG: {trainer.best:.1f} %; use it with --model {trainer.best_path}"
    else:
        text = "no dev score yet: the curves of model and JPEG do not meet; train on with more --steps"
    typer.echo(console.shown(text))


def _say_progress(at: Progress) -> None:
    left = at.seconds_a_step * (at.steps - at.step)
    text = f"step {at.step}/{at.steps}  loss {at.loss:.4f}  {_clock(left)} left"
    if at.dev:
        text += f"  dev BD-rate {at.dev.bd_rate:.1f} %, PSNR against JPEG {at.dev.psnr_gain:+.2f} dB"
    console.say_progress(text)


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
