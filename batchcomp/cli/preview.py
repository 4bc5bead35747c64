"""`batchcomp preview`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchcomp.cli import console
from batchcomp.cli.options import DeviceOpt, JsonOpt, ModelOpt
from batchcomp.cli.starting import starting
from batchcomp.errors import ExitCode, UsageError
from batchcomp.places import folder

if TYPE_CHECKING:
    from batchcomp.pages.preview import Tried

MOST = 12  # pictures on a page
FILE = Path("preview.html")


def preview(
    paths: Annotated[
        list[Path], typer.Argument(help="Photos, or folders to take some from.", metavar="PHOTO", parser=folder)
    ],
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help=f"The page. [default: {FILE}]")] = None,
    png: Annotated[
        Path | None, typer.Option("--png", metavar="FILE", help="A contact sheet in place of the page.")
    ] = None,
    qualities: Annotated[
        str, typer.Option("--quality", "-q", metavar="Q,...", help="The qualities to try, 1 to 100.")
    ] = "20,40,55,70,85",
    count: Annotated[
        int, typer.Option("--count", "-n", metavar="N", min=1, max=MOST, help="How many photos of folders.")
    ] = 6,
    device: DeviceOpt = "auto",
    model: ModelOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """See what qualities look like and cost on your photos. JPEG at the same bytes stands beside them."""
    steps = _qualities(qualities)
    if html is not None and png is not None:
        raise UsageError("--html and --png: choose one of them")
    page = None if png is not None else html or FILE
    _check(page, png)
    with starting("Trying"):
        from batchcomp.cli.pictures import find_pictures
        from batchcomp.codec.codec import Codec
        from batchcomp.pages.preview import Tried, try_pictures

    chosen = spread(find_pictures(paths), max(count, sum(path.is_file() for path in paths)))
    if len(chosen) > MOST:
        raise UsageError(f"{len(chosen)} photos: a page has room for {MOST}; name fewer")
    tried: list[Tried] = []
    failed = 0
    codec = Codec.open(model, device=device)
    for one in try_pictures(chosen, steps, codec, console.say_progress):
        if isinstance(one, Tried):
            tried.append(one)
            _show(one, as_json=as_json)
        else:
            failed += 1
            if as_json:
                console.json_line("failed", name=one.name, reason=one.reason, damage=False, pixels=False)
            console.say(f"failed: {one.reason}", style=console.PROBLEM)
    if tried:
        _write(tried, page, png, as_json=as_json)
    code = ExitCode.SOME_FAILED if failed else ExitCode.DONE
    if as_json:
        console.json_line("summary", exit_code=int(code), done=len(tried), failed=failed)
    raise typer.Exit(code)


def _qualities(text: str) -> list[int]:
    """Return the qualities that a list names, ascending.

    Raises:
        UsageError: one is none, or there are too many.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or len(words) > 8 or not all(word.isdecimal() and 1 <= int(word) <= 100 for word in words):
        raise UsageError(f"--quality {text!r}: expected up to eight whole numbers from 1 to 100, such as 40,55,70")
    return sorted({int(word) for word in words})


def spread(paths: list[Path], count: int) -> list[Path]:
    """Return at most so many of the paths, from all along the list."""
    if len(paths) <= count:
        return paths
    return [paths[(2 * n + 1) * len(paths) // (2 * count)] for n in range(count)]


def _check(page: Path | None, png: Path | None) -> None:
    """See to it before the work that the result can be written.

    Raises:
        UsageError: it cannot.
    """
    from batchcomp.pages.document import check_target

    if page is not None:
        check_target(page)
    elif png is not None and png.suffix.lower() != ".png":
        raise UsageError(f"{png}: a contact sheet is a PNG file; name it NAME.png")
    elif png is not None and png.exists():
        raise UsageError(f"{png}: is there already; choose another name, or move it away")


def _show(one: Tried, *, as_json: bool) -> None:
    from batchcomp.pages.preview import HEADINGS, cells

    if as_json:
        for step in one.steps:
            jpeg = step.jpeg
            console.json_line(
                "preview",
                name=one.name,
                width=one.width,
                height=one.height,
                source_bytes=one.source_bytes,
                quality=step.quality,
                bytes=step.size,
                ms_ssim=step.ms_ssim,
                jpeg_ms_ssim=jpeg.ms_ssim if jpeg else None,
                jpeg_bytes=jpeg.bytes_at_ms_ssim if jpeg else None,
                saved_vs_jpeg=step.saved,
            )
        return
    columns = [("quality", "right"), *((heading, "right") for heading in HEADINGS)]
    rows = [[str(step.quality), *cells(one, step)] for step in one.steps]
    console.show_table(one.name, columns, rows)


def _write(tried: list[Tried], page: Path | None, png: Path | None, *, as_json: bool) -> None:
    """Write the page or the sheet and say so.

    Raises:
        UsageError, FileError: it cannot be written.
    """
    from batchcomp.images.save import write_result
    from batchcomp.pages.contact_sheet import contact_sheet
    from batchcomp.pages.document import write_page
    from batchcomp.pages.preview import data_of, preview_html

    if page is not None:
        size = write_page(page, preview_html([data_of(one, n, len(tried)) for n, one in enumerate(tried)]))
        how = "open it in a browser"
    elif png is not None:
        data = contact_sheet(tried)
        write_result(data, png)
        size, how = len(data), "a column a quality, JPEG at the same bytes below"
    from batchcomp.report.text import human

    text = f"{page or png}: {human(size)}, {how}"
    console.log(text) if as_json else console.remark(text)
