"""`batchcomp train`."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from batchcomp.cli import console
from batchcomp.errors import UsageError

if TYPE_CHECKING:
    from batchcomp.training.alternating_run import AlternatingTrainer
    from batchcomp.training.joint import JointTrainer, Progress


class Method(StrEnum):
    """How the two nets learn."""

    joint = "joint"
    alternating = "alternating"


class Shape(StrEnum):
    """Which of the shipped models the new one is like."""

    default = "default"
    fast = "fast"
    full_size = "full-size"


class Loss(StrEnum):
    """How two pictures are compared."""

    mse = "mse"
    ms_ssim = "ms-ssim"
    mixed = "mixed"


ONLY_ALTERNATING, ONLY_JOINT = "Alternating only: ", "Joint only: "


def train(
    photos: Annotated[Path, typer.Argument(help="A folder of photos; a twentieth is held out to select on.")],
    run: Annotated[Path, typer.Option(help="Folder of this run: checkpoint, log.csv, best.safetensors.")],
    method: Annotated[
        Method, typer.Option(help="Both nets together through a differentiable JPEG, or in turns around the real one.")
    ] = Method.joint,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps in all (10000; alternating 1200); raise it to go on.")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Crops a step (4; fast 6; alternating 8).")] = None,
    crop: Annotated[
        int | None,
        typer.Option(help="Side of the crops in pixels, a multiple of 16 (256; other shapes 192, alternating 48)."),
    ] = None,
    shape: Annotated[
        Shape | None,
        typer.Option(help=ONLY_JOINT + "nets like the shipped ones of half size, like the fast ones, or of full size."),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(help=ONLY_JOINT + "a model to begin with, of the same width: a file or a shipped one's name."),
    ] = None,
    loss: Annotated[Loss | None, typer.Option(help=ONLY_ALTERNATING + "what to minimise (mse).")] = None,
    rate: Annotated[
        float | None, typer.Option(min=0, help=ONLY_ALTERNATING + "weight of the bits in ComCNN's turn (0.001).")
    ] = None,
    turns: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST,COM,REC",
            help=ONLY_ALTERNATING + "steps of RecCNN alone, then of ComCNN's and RecCNN's turns (200,20,40).",
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(min=1, help=ONLY_ALTERNATING + "stop after that many dev scores without a better one (6)."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Where the random draws start.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="Threads for the networks; 0: as torch chooses.")] = 0,
) -> None:
    """Train a model on your own photos. ComCNN, RecCNN and their tables; run it again to resume."""
    import torch

    from batchcomp.codec.codec import choose_device

    if threads:
        torch.set_num_threads(threads)
    shared = {"steps": steps, "batch": batch, "crop": crop, "seed": seed}
    joint = {"shape": shape.value if shape else None, "start": start}
    alternating = {"loss": loss.value if loss else None, "rate": rate, "turns": turns, "patience": patience}
    is_joint = method == Method.joint
    make, own, others = (_joint, joint, alternating) if is_joint else (_alternating, alternating, joint)
    if given := _given(others):
        raise UsageError(f"--{next(iter(given))}: only --method {'alternating' if is_joint else 'joint'} has it")
    trainer = make(photos, run, str(choose_device(device)), _given(shared), _given(own))
    if trainer.step:
        console.say_progress(f"resuming at step {trainer.step} of {trainer.settings.steps}")
    trainer.train(_say_progress)
    if math.isfinite(trainer.best):
        text = f"best dev BD-rate against JPEG: {trainer.best:.1f} %; use it with --model {trainer.best_path}"
    else:
        text = "no dev score yet: the curves of model and JPEG do not meet; train on with more --steps"
    typer.echo(console.shown(text))


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given; for the others each method has defaults of its own."""
    return {name: value for name, value in options.items() if value is not None}


def _joint(photos: Path, run: Path, device: str, shared: dict[str, Any], own: dict[str, Any]) -> JointTrainer:
    from batchcomp.codec import weights
    from batchcomp.codec.networks.residual import ResidualNetwork
    from batchcomp.training.joint import JointSettings, JointTrainer
    from batchcomp.training.shapes import RECIPES

    recipe = RECIPES[own.get("shape", Shape.default.value)]
    settings = JointSettings(architecture=recipe.architecture, **(recipe.settings | shared))
    start = weights.load_file(own["start"]).network if "start" in own else None
    if start is not None and not isinstance(start, ResidualNetwork):
        raise UsageError(f"--start {own['start']}: a model of the family jiang2017 cannot be trained jointly")
    return JointTrainer(photos, run, settings, device=device, start=start)


def _alternating(
    photos: Path, run: Path, device: str, shared: dict[str, Any], own: dict[str, Any]
) -> AlternatingTrainer:
    from batchcomp.training.alternating_run import AlternatingSettings, AlternatingTrainer
    from batchcomp.training.turns import Turns

    if "turns" in own:
        own["turns"] = Turns.parse(own["turns"])
    if "crop" not in shared and own.get("loss", "mse") != "mse":
        shared |= {"crop": 176, "batch": shared.get("batch", 2)}  # MS-SSIM needs large crops, RecCNN small batches
    return AlternatingTrainer(photos, run, AlternatingSettings(**shared, **own), device=device)


def _say_progress(at: Progress) -> None:
    left = at.seconds_a_step * (at.steps - at.step)
    text = f"step {at.step}/{at.steps}  loss {at.loss:.4f}  {_clock(left)} left"
    if at.dev:
        text += f"  dev BD-rate {at.dev.bd_rate:.1f} %, PSNR against JPEG {at.dev.psnr_gain:+.2f} dB"
    console.say_progress(text)


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
