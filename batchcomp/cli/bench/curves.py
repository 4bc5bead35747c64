"""`batchcomp bench curves`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchcomp.cli import completion
from batchcomp.cli.bench import page
from batchcomp.cli.bench.options import (
    JsonFileOpt,
    OptionalPicturesArg,
    ProcessesOpt,
    model_name,
    processes_on,
    reading_json,
    show,
    told,
    write_json,
)
from batchcomp.cli.bench.page import MOST_SAMPLES, HtmlOpt
from batchcomp.cli.options import DeviceOpt, ModelOpt
from batchcomp.cli.pictures import find_pictures
from batchcomp.cli.starting import starting
from batchcomp.errors import UsageError
from batchcomp.report.trade import OURS, PACKED, name_of
from batchcomp.settings import MAX_EFFORT, TARGETS

if TYPE_CHECKING:
    from batchcomp.benchmark.curves import Point
    from batchcomp.benchmark.rivals.base import Rival
    from batchcomp.benchmark.rivals.ours import OursPacked
    from batchcomp.codec.codec import Codec


def bench_curves(
    images: OptionalPicturesArg = None,
    json_file: JsonFileOpt = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the curves here (.png or .svg).")] = None,
    published: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Curves of others to draw too (JSON). By default, with --html, ours of Kodak."
        ),
    ] = None,
    html: HtmlOpt = None,
    crops: Annotated[
        int, typer.Option(metavar="N", min=0, max=MOST_SAMPLES, help="Pictures to see at the same bytes, with --html.")
    ] = 3,
    speeds: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Speeds of codecs, as bench speed --json wrote them, to hold against bytes."),
    ] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Show an earlier --json file, or several of the same pictures as one; PICTURES are for --crops only.",
        ),
    ] = None,
    rivals: Annotated[
        str,
        typer.Option(
            metavar="NAME,...",
            autocompletion=completion.rivals,
            help="Codecs to compare with, separated by commas, or all.",
        ),
    ] = "jpeg,mozjpeg,webp,avif,jpegxl",
    guards: Annotated[
        str,
        typer.Option(
            metavar="BPP,...", help="Bits per pixel for SSIMULACRA2, PSNR and CIEDE2000; 'none' leaves them out."
        ),
    ] = "0.35",
    reuse: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Take the rivals' curves of these pictures from an earlier --json file."),
    ] = None,
    speed: Annotated[bool, typer.Option(help="Time the codecs too, on the largest picture.")] = True,
    packed: Annotated[bool, typer.Option(help="A curve with --pack too, where that is installed.")] = True,
    effort: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=MAX_EFFORT, help="A packed curve with this --effort too (slow)."),
    ] = None,
    jobs: ProcessesOpt = 0,
    device: DeviceOpt = "auto",
    model: ModelOpt = None,
) -> None:
    """Compare bytes and quality. Rate-distortion curves, BD-rate, wins, other measures at the same bytes."""
    check_combination(plot=plot, html=html, published=published, packed=packed, effort=effort)
    with starting("Measuring"):
        from batchcomp.benchmark.run import BenchSettings, run_bench
        from batchcomp.codec.codec import Codec
        from batchcomp.report.bench import sheets

    timed = page.read_speed(speeds) if speeds else None  # so that a wrong file is told before the measuring
    if not source and not images:
        raise UsageError("no pictures: name some, or an earlier run's file with --from")
    pictures = find_pictures(images) if images else []
    codec = Codec.open(model, device=device)
    name = name_of(model_name(model))
    more = packed_curves(codec, effort, name) if packed and find_spec("constriction") else []
    if source:
        result = page.read_all(source)
    else:
        settings = BenchSettings(
            rivals=[name.strip() for name in rivals.split(",") if name.strip()],
            guard_rates=parse_rates(guards),
            known=read_points(reuse) if reuse else (),
            speed=speed,
            jobs=processes_on(codec.device.type, jobs),
        )
        with told("Measuring", len(pictures)) as on_done:
            result = run_bench(pictures, codec, settings, name=name, more=more, on_done=on_done)
    write_json(json_file, result.to_json())
    if plot:
        from batchcomp.benchmark.plot import plot_curves

        plot_curves(result.mean_curves, plot, published=published)
    trade = page.trade_of(result, timed)
    if html:
        shown = page.samples_of(pictures, shown_codecs(codec, name, more, result.rivals), crops)
        page.write_curves(html, result, trade, samples=shown, published=published)
    show(sheets(result, trade))


def shown_codecs(codec: Codec, name: str, more: Sequence[Rival], names: Sequence[str]) -> list[Rival]:
    """Return the codecs of a result whose pictures are shown: ours, and each rival at its usual speed."""
    from batchcomp.benchmark.rivals import RIVALS, make_rivals
    from batchcomp.benchmark.rivals.ours import Ours

    return [Ours(codec, name), *more, *make_rivals(one for one in names if one in RIVALS)]


def check_combination(
    *, plot: Path | None, html: Path | None, published: Path | None, packed: bool, effort: int | None
) -> None:
    """Refuse what would be ignored or found wrong only after the measuring.

    Raises:
        UsageError: an option needs another one, or the published curves cannot be read.
    """
    if published and not (plot or html):
        raise UsageError("--published: goes with --plot or --html, which draw the curves")
    if effort and not packed:
        raise UsageError("--effort: goes with a packed curve; leave --no-packed out")
    if effort and not find_spec("constriction"):
        raise UsageError("--effort: its curve is packed: run pip install constriction")
    if plot:
        from batchcomp.benchmark.plot import check_suffix

        check_suffix(plot)
    if html:
        from batchcomp.pages.document import check_target

        check_target(html)
    if published:
        from batchcomp.benchmark.plot import read_published

        read_published(published)


def read_points(path: Path) -> list[Point]:
    """The points of an earlier run.

    Raises:
        UsageError: the file cannot be read or has none.
    """
    from batchcomp.benchmark.results import points_of

    with reading_json(path, "--reuse "):
        return points_of(path.read_text(encoding="utf-8"))


def packed_curves(codec: Codec, effort: int | None, name: str = OURS) -> list[OursPacked]:
    """The curve with `--pack` of our codec of that name, and with effort a second one at fewer qualities."""
    from batchcomp.benchmark.rivals.ours import SPARSE_QUALITIES, OursPacked

    usual = OursPacked(codec, name=f"{name} {PACKED}")
    if not effort:
        return [usual]
    slow = f"{usual.name} --effort {effort}"
    return [usual, OursPacked(codec, name=slow, effort=effort, qualities=SPARSE_QUALITIES)]


def parse_rates(text: str) -> tuple[float, ...]:
    """Numbers separated by commas; none for 'none'. Raises UsageError."""
    if text == "none":
        return ()
    least, most = TARGETS["max-bpp"]
    try:
        rates = tuple(float(part) for part in text.split(","))
    except ValueError:
        rates = ()
    if not rates or not all(least <= rate <= most for rate in rates):
        raise UsageError(f"--guards {text!r}: expected numbers from {least} to {most} separated by commas, or none")
    return rates
