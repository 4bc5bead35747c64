"""`batchcomp bench cohorts`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchcomp.cli import console
from batchcomp.cli.bench.options import JsonFileOpt, ProcessesOpt, processes_on, show, told, write_json
from batchcomp.cli.options import MOST, DeviceOpt, ModelOpt
from batchcomp.cli.pictures import find_pictures
from batchcomp.cli.starting import starting
from batchcomp.errors import UsageError
from batchcomp.settings import TARGETS

if TYPE_CHECKING:
    from batchcomp.benchmark.rivals.base import Rival

TRAIN, DEV, DEFAULT = "train", "dev", "default"
LEAST_BPP, MOST_BPP = TARGETS["max-bpp"]
MIN_SIDE = 176  # MS-SSIM has five scales from 161 px on


def bench_cohorts(
    folders: Annotated[list[str], typer.Argument(metavar="NAME=FOLDER", help="As in train=DIR dev=DIR test=DIR.")],
    json_file: JsonFileOpt = None,
    rate: Annotated[float, typer.Option(metavar="BPP", min=LEAST_BPP, max=MOST_BPP, help="Bits per pixel.")] = 0.25,
    sample: Annotated[int, typer.Option(metavar="N", min=1, max=MOST, help="Pictures a cohort.")] = 24,
    jobs: ProcessesOpt = 0,
    device: DeviceOpt = "auto",
    model: ModelOpt = None,
) -> None:
    """Tell overfitting from gain. A model, no networks, the default model and JPEG at the same bytes."""
    with starting("Measuring"):
        from batchcomp.benchmark.cohorts import run_cohorts
        from batchcomp.codec.codec import choose_device
        from batchcomp.report.cohorts import sheets

    cohorts = parse_cohorts(folders)
    with told("Measuring", sum(min(sample, len(paths)) for paths in cohorts.values())) as on_done:
        result = run_cohorts(
            cohorts,
            compared_codecs(model, device),
            rate=rate,
            sample=sample,
            jobs=processes_on(choose_device(device).type, jobs),
            on_done=lambda name: on_done("measured", name),
        )
    write_json(json_file, result.to_json())
    show(sheets(result))
    for picture, reason in result.left_out.items():
        console.say(f"left out: {picture}: {reason}")


def compared_codecs(model: Path | None, device: str) -> list[Rival]:
    """The model in question, then what it is measured against: no networks, the default model, JPEG."""
    from batchcomp.benchmark.cohorts import BICUBIC
    from batchcomp.benchmark.rivals import make_rivals
    from batchcomp.benchmark.rivals.base import ANCHOR
    from batchcomp.benchmark.rivals.ours import Ours
    from batchcomp.codec.bicubic import bicubic_model
    from batchcomp.codec.codec import Codec

    chosen, shipped = Codec.open(model, device=device), Codec.open(device=device)
    bicubic = Ours(Codec(bicubic_model(), device=device), BICUBIC)
    (jpeg,) = make_rivals([ANCHOR])
    if model is None or chosen.model.sha256 == shipped.model.sha256:
        return [Ours(shipped, DEFAULT), bicubic, jpeg]
    return [Ours(chosen, model.stem), bicubic, Ours(shipped, DEFAULT), jpeg]


def parse_cohorts(words: Sequence[str]) -> dict[str, list[Path]]:
    """Turn NAME=FOLDER words into pictures by cohort; train and dev of one folder are split as training splits them.

    Raises:
        UsageError: a word has another form, a name comes twice, or a folder holds no picture.
    """
    from batchcomp.training.data import split_folder

    folders: dict[str, Path] = {}
    for word in words:
        name, equals, folder = word.partition("=")
        if not (name and equals and folder) or name in folders:
            raise UsageError(f"{word}: expected NAME=FOLDER, each name once, as in train=DIR dev=DIR test=DIR")
        folders[name] = Path(folder)
    found = {name: find_pictures([folder]) for name, folder in folders.items() if folder.is_dir()}
    missing = [folder for name, folder in folders.items() if name not in found]
    if missing:
        raise UsageError(f"{missing[0]}: no such folder; name the cohorts as in train=DIR dev=DIR test=DIR")
    if {TRAIN, DEV} <= folders.keys() and folders[TRAIN].resolve() == folders[DEV].resolve():
        split = split_folder(folders[TRAIN], crop=MIN_SIDE)
        found |= {TRAIN: list(split.train), DEV: list(split.dev)}
    return found
