"""Arguments and options that both ways of training share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from batchcomp.cli.options import MOST
from batchcomp.settings import MAX_JOBS

MAX_CROPS, MAX_SIDE = 65_536, 16_384  # of a step; of a crop in pixels

PhotosArg = Annotated[
    Path, typer.Argument(metavar="PHOTOS", help="A folder of photos; a twentieth is held out to select on.")
]
FoldersArg = Annotated[
    list[Path],
    typer.Argument(
        metavar="PHOTOS",
        help="Folders of photos; a twentieth of each is held out to select on. A folder named twice counts twice.",
    ),
]
RunOpt = Annotated[
    Path, typer.Option(metavar="FOLDER", help="Folder of this run: checkpoint, log.csv, best.safetensors.")
]
SeedOpt = Annotated[int, typer.Option(metavar="N", min=0, max=MOST, help="Where the random draws start.")]
ThreadsOpt = Annotated[
    int, typer.Option(metavar="N", min=0, max=MAX_JOBS, help="Threads for the networks; 0: as torch chooses.")
]


def given(**options: Any) -> dict[str, Any]:
    """The options that were given; for the others the settings have defaults."""
    return {name: value for name, value in options.items() if value is not None}
