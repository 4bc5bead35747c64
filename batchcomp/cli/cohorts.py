"""`batchcomp bench --cohorts`: NAME=FOLDER words into cohorts, and the table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from batchcomp.cli import console
from batchcomp.errors import UsageError

if TYPE_CHECKING:
    from batchcomp.benchmark.cohorts import CohortResult
    from batchcomp.benchmark.rivals import Rival

TRAIN, DEV, DEFAULT = "train", "dev", "default"
MIN_SIDE = 176  # MS-SSIM has five scales from 161 px on


def bench_cohorts(
    words: Sequence[Path], *, model: Path | None, device: str, rate: float, sample: int, jobs: int
) -> CohortResult:
    """Measure `model`, bicubic half size + JPEG, the default model and JPEG on each cohort.

    Raises:
        UsageError: the words name no cohorts.
    """
    from batchcomp.benchmark.cohorts import run_cohorts
    from batchcomp.codec.codec import choose_device
    from batchcomp.settings import available_cores

    cohorts, codecs = parse_cohorts(words), codecs_beside(model, device)
    on_cpu = choose_device(device).type == "cpu"  # each process would open a GPU of its own, so one process has it
    return run_cohorts(
        cohorts,
        codecs,
        rate=rate,
        sample=sample,
        jobs=(jobs or available_cores()) if on_cpu else 1,
        on_done=lambda name: console.say_progress(f"measured: {name}"),
    )


def codecs_beside(model: Path | None, device: str) -> list[Rival]:
    """The model in question, then what it is measured against: no nets, the default model, JPEG."""
    from batchcomp.benchmark.cohorts import BICUBIC
    from batchcomp.benchmark.rivals import Jpeg, Ours
    from batchcomp.codec.bicubic import bicubic_model
    from batchcomp.codec.codec import Codec

    asked, shipped = Codec.open(model, device=device), Codec.open(device=device)
    bicubic = Ours(Codec(bicubic_model(), device=device), BICUBIC)
    if model is None or asked.model.sha256 == shipped.model.sha256:
        return [Ours(shipped, DEFAULT), bicubic, Jpeg()]
    return [Ours(asked, model.stem), bicubic, Ours(shipped, DEFAULT), Jpeg()]


def parse_cohorts(words: Sequence[Path]) -> dict[str, list[Path]]:
    """Turn NAME=FOLDER words into pictures by cohort; train and dev of one folder are split as training splits them.

    Raises:
        UsageError: a word has another form, a name comes twice, or a folder holds no picture.
    """
    from batchcomp.cli.bench import find_pictures
    from batchcomp.training.data import split_folder

    folders: dict[str, Path] = {}
    for word in words:
        name, equals, folder = str(word).partition("=")
        if not (name and equals and folder) or name in folders:
            raise UsageError(
                f"--cohorts {word}: expected NAME=FOLDER, each name once, as in train=DIR dev=DIR test=DIR"
            )
        folders[name] = Path(folder)
    cohorts = {name: find_pictures([folder]) for name, folder in folders.items() if folder.is_dir()}
    missing = [folder for name, folder in folders.items() if name not in cohorts]
    if missing:
        raise UsageError(f"{missing[0]}: no such folder; name the cohorts as in train=DIR dev=DIR test=DIR")
    if {TRAIN, DEV} <= folders.keys() and folders[TRAIN].resolve() == folders[DEV].resolve():
        split = split_folder(folders[TRAIN], crop=MIN_SIDE)
        cohorts |= {TRAIN: list(split.train), DEV: list(split.dev)}
    return cohorts


def show_cohorts(result: CohortResult, json_file: Path | None) -> None:
    """Print the tables, say which pictures were left out, and write the JSON file if one was asked for."""
    from batchcomp.report.cohorts import sheets

    if json_file:
        from batchcomp.archive.durable import atomic_write

        atomic_write(json_file, result.to_json().encode())
    for sheet in sheets(result):
        console.out().print(console.table_of(sheet.title, sheet.columns, sheet.rows))
    for picture, reason in result.left_out.items():
        console.say(f"left out: {picture}: {reason}")
