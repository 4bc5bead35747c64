"""`batchcomp bench`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchcomp.cli import console
from batchcomp.cli.options import DeviceOpt, ModelOpt
from batchcomp.errors import UsageError
from batchcomp.settings import MAX_EFFORT

if TYPE_CHECKING:
    from batchcomp.benchmark.rivals import OursPacked
    from batchcomp.benchmark.run import BenchResult
    from batchcomp.codec.codec import Codec


def bench(
    images: Annotated[list[Path], typer.Argument(help="Pictures, or folders of them; with --cohorts NAME=FOLDER.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write everything measured here.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the curves here (.png or .svg).")] = None,
    published: Annotated[Path | None, typer.Option(help="Curves of others to draw too (JSON).")] = None,
    rivals: Annotated[str, typer.Option(help="Codecs to compare with, separated by commas.")] = "jpeg,webp,avif,jpegxl",
    guards: Annotated[
        str, typer.Option(help="Bits per pixel for SSIMULACRA2, PSNR and CIEDE2000; 'none' leaves them out.")
    ] = "0.35",
    speed: Annotated[
        bool | None,
        typer.Option(
            "--speed/--no-speed",
            help="Only time: stages, rivals, networks, memory, whole runs. --no-speed: leave out all timing.",
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="With --speed: a few minutes only.")] = False,
    long: Annotated[bool, typer.Option("--long", help="With --speed: 10,000 files too.")] = False,
    curves: Annotated[bool, typer.Option(help="Measure rate-distortion curves.")] = True,
    packed: Annotated[bool, typer.Option(help="A curve with --pack too, where that is installed.")] = True,
    effort: Annotated[
        int | None, typer.Option(min=1, max=MAX_EFFORT, help="A packed curve with this --effort too (slow).")
    ] = None,
    cohorts: Annotated[
        bool,
        typer.Option(
            "--cohorts",
            help="Compare train=FOLDER dev=FOLDER test=FOLDER: model, no nets, default model, JPEG, same bytes.",
        ),
    ] = False,
    rate: Annotated[float, typer.Option(help="Bits per pixel of the cohort table.")] = 0.25,
    sample: Annotated[int, typer.Option(min=1, help="Pictures a cohort.")] = 24,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=0, help="Processes; 0: one a core.")] = 0,
    device: DeviceOpt = "auto",
    model: ModelOpt = None,
) -> None:
    """Compare with JPEG, WebP, AVIF and JPEG XL on the same pictures: curves, BD-rate, wins, guards, speed."""
    if cohorts:
        from batchcomp.cli.cohorts import bench_cohorts, show_cohorts

        found = bench_cohorts(images, model=model, device=device, rate=rate, sample=sample, jobs=jobs)
        show_cohorts(found, json_file)
        return
    if speed:
        from batchcomp.cli.speed import bench_speed

        bench_speed(
            find_pictures(images),
            json_file=json_file,
            plot=plot,
            model=model,
            device=device,
            jobs=jobs,
            quick=quick,
            long=long,
        )
        return
    from batchcomp.benchmark.run import run_bench
    from batchcomp.codec.codec import Codec
    from batchcomp.settings import available_cores

    if published:
        from batchcomp.benchmark.plot import read_published

        read_published(published)  # a wrong file is said now, not after the measuring
    codec = Codec.open(model, device=device)
    # Each process would open a GPU of its own, so one process has it.
    processes = (jobs or available_cores()) if codec.device.type == "cpu" else 1
    result = run_bench(
        find_pictures(images),
        codec,
        rivals=[name.strip() for name in rivals.split(",") if name.strip()],
        guard_rates=parse_rates(guards),
        speed=speed is None,
        curves=curves,
        more=_packed(codec, effort) if packed and find_spec("constriction") else [],
        jobs=processes,
        on_done=lambda stage, name: console.say_progress(f"{stage}: {name}"),
    )
    _write(result, json_file, plot, published)
    _show(result)


def _packed(codec: Codec, effort: int | None) -> list[OursPacked]:
    from batchcomp.benchmark.rivals import PACKED, SPARSE_QUALITIES, OursPacked

    usual = OursPacked(codec)
    if not effort:
        return [usual]
    return [usual, OursPacked(codec, name=f"{PACKED} --effort {effort}", effort=effort, qualities=SPARSE_QUALITIES)]


def find_pictures(paths: list[Path]) -> list[Path]:
    """The pictures among files and folders, in the order of a walk.

    Raises:
        UsageError: there is none.
    """
    from batchcomp.images.formats import has_picture_suffix
    from batchcomp.images.walk import Item, walk

    found = [item.path for item in walk(paths) if isinstance(item, Item) and has_picture_suffix(item.name)]
    if not found:
        raise UsageError("no pictures there: name pictures or folders of them")
    return found


def parse_rates(text: str) -> tuple[float, ...]:
    """Numbers separated by commas; none for 'none'."""
    if text == "none":
        return ()
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--guards {text!r}: expected numbers separated by commas, or none") from error


def _write(result: BenchResult, json_file: Path | None, plot: Path | None, published: Path | None) -> None:
    if json_file:
        from batchcomp.archive.durable import atomic_write

        atomic_write(json_file, result.to_json().encode())
    if plot:
        from batchcomp.benchmark.plot import plot_curves

        plot_curves(result.mean_curves, plot, published=published)


def _show(result: BenchResult) -> None:
    from batchcomp.report.bench import sheets

    for sheet in sheets(result):
        console.out().print(console.table_of(sheet.title, sheet.columns, sheet.rows))
