"""`batchcomp train alternating`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from batchcomp.cli.options import MOST, DeviceOpt
from batchcomp.cli.starting import starting
from batchcomp.cli.train import trainer
from batchcomp.cli.train.options import MAX_CROPS, MAX_SIDE, PhotosArg, RunOpt, SeedOpt, ThreadsOpt, given


class Loss(StrEnum):
    """How two pictures are compared."""

    mse = "mse"
    ms_ssim = "ms-ssim"
    mixed = "mixed"


def train_alternating(
    photos: PhotosArg,
    run: RunOpt,
    steps: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=MOST, help="Steps in all (1200); raise it to go on.")
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=MAX_CROPS, help="Crops a step (8; 2 with another loss than mse)."),
    ] = None,
    crop: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=16,
            max=MAX_SIDE,
            help="Side of the crops in pixels, a multiple of 16 (48; 176 with another loss than mse).",
        ),
    ] = None,
    loss: Annotated[Loss, typer.Option(help="What to minimise.")] = Loss.mse,
    rate: Annotated[
        float | None, typer.Option(metavar="X", min=0, max=MOST, help="Weight of the bits in ComCNN's turn (0.001).")
    ] = None,
    turns: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST,COM,REC",
            help="Steps of RecCNN alone, then of ComCNN's and RecCNN's turns (200,20,40).",
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=MOST, help="Stop after that many dev scores without a better one (6)."),
    ] = None,
    seed: SeedOpt = 0,
    device: DeviceOpt = "auto",
    threads: ThreadsOpt = 0,
) -> None:
    """Train the networks in turns. The design of Jiang et al. 2017, around the real JPEG."""
    with starting("Training"):
        device = trainer.prepare(device, threads)
        from batchcomp.training.alternating_run import AlternatingSettings, AlternatingTrainer
        from batchcomp.training.turns import Turns

    if crop is None and loss is not Loss.mse:
        crop, batch = 176, batch or 2  # MS-SSIM needs large crops, RecCNN small batches
    settings = AlternatingSettings(
        loss=loss.value,
        **given(
            steps=steps,
            batch=batch,
            crop=crop,
            seed=seed,
            rate=rate,
            turns=Turns.parse(turns) if turns is not None else None,
            patience=patience,
        ),
    )
    trainer.run(AlternatingTrainer(photos, run, settings, device=device))
