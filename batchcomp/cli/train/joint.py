"""`batchcomp train joint`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from batchcomp.cli.completion import models
from batchcomp.cli.options import MOST, DeviceOpt
from batchcomp.cli.starting import starting
from batchcomp.cli.train import trainer
from batchcomp.cli.train.options import MAX_CROPS, MAX_SIDE, FoldersArg, RunOpt, SeedOpt, ThreadsOpt, given
from batchcomp.errors import UsageError


class ModelShape(StrEnum):
    """Which networks the new model has."""

    default = "default"
    fast = "fast"
    full_size = "full-size"


def train_joint(
    photos: FoldersArg,
    run: RunOpt,
    steps: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=MOST, help="Steps in all (10000); raise it to go on.")
    ] = None,
    batch: Annotated[int | None, typer.Option(metavar="N", min=1, max=MAX_CROPS, help="Crops a step (4).")] = None,
    crop: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=16,
            max=MAX_SIDE,
            help="Side of the crops in pixels, a multiple of 16 (256; full-size 192).",
        ),
    ] = None,
    shape: Annotated[
        ModelShape,
        typer.Option(help="Networks like the shipped ones: the default ones, the fast ones, or those of full size."),
    ] = ModelShape.default,
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL",
            autocompletion=models,
            help="A model to begin with, of the same family and width: a file or a shipped one's name.",
        ),
    ] = None,
    decoder_only: Annotated[
        bool,
        typer.Option("--decoder-only", help="RecCNN alone learns, so that payloads stay as they are; with --start."),
    ] = False,
    seed: SeedOpt = 0,
    device: DeviceOpt = "auto",
    threads: ThreadsOpt = 0,
) -> None:
    """Train both networks together. They learn through a differentiable JPEG."""
    with starting("Training"):
        device = trainer.prepare(device, threads)
        from batchcomp.codec import weights
        from batchcomp.codec.networks.jiang2017 import Jiang2017Network
        from batchcomp.training.joint import JointSettings, JointTrainer
        from batchcomp.training.shapes import RECIPES

    if decoder_only and not start:
        raise UsageError("--decoder-only: an untrained ComCNN would stay so; name a trained model with --start")
    recipe = RECIPES[shape.value]
    options = recipe.settings | given(steps=steps, batch=batch, crop=crop, seed=seed)
    settings = JointSettings(architecture=recipe.architecture, decoder_only=decoder_only, **options)
    first = weights.load_file(start).network if start else None
    if isinstance(first, Jiang2017Network):
        raise UsageError(f"--start {start}: a model of the family jiang2017 cannot be trained jointly")
    trainer.run(JointTrainer(photos, run, settings, device=device, start=first))
