"""Options of `compress` that say what each picture is to meet, and what holds it."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from batchcomp.cli.completion import choice
from batchcomp.cli.options import STORED
from batchcomp.errors import UsageError
from batchcomp.kinds import CODECS
from batchcomp.settings import MAX_EFFORT, MEASURES, NO_MEASURE, Target

_PANEL = "What each picture is to meet (one, in place of -q)"
_KINDS = ("match-jpeg", "match-jpeg-bytes", "target-ms-ssim", "target-ssimulacra2", "max-bpp", "max-bytes")
PARAMETERS = tuple(kind.replace("-", "_") for kind in _KINDS)  # names of the options below

MatchJpegOpt = Annotated[
    int | None,
    typer.Option(
        "--match-jpeg",
        metavar="Q",
        rich_help_panel=_PANEL,
        help="As good as a JPEG of quality Q (1 to 100), by MS-SSIM, in the fewest bytes.",
    ),
]
MatchBytesOpt = Annotated[
    int | None,
    typer.Option(
        "--match-jpeg-bytes",
        metavar="Q",
        rich_help_panel=_PANEL,
        help="The best within the bytes of a JPEG of quality Q.",
    ),
]
MsSsimOpt = Annotated[
    float | None,
    typer.Option(
        "--target-ms-ssim", metavar="X", rich_help_panel=_PANEL, help="The fewest bytes that reach this MS-SSIM."
    ),
]
EyeOpt = Annotated[
    float | None,
    typer.Option(
        "--target-ssimulacra2",
        metavar="X",
        rich_help_panel=_PANEL,
        help="The same for SSIMULACRA2: 90 is visually lossless, 70 high quality, 50 medium.",
    ),
]
MaxBppOpt = Annotated[
    float | None,
    typer.Option("--max-bpp", metavar="B", rich_help_panel=_PANEL, help="The best within so many bits a pixel."),
]
MaxBytesOpt = Annotated[
    str | None,
    typer.Option(
        "--max-bytes", metavar="N", rich_help_panel=_PANEL, help="The best within N bytes: 9000, 9kB, 0.2MB, 8KiB."
    ),
]
CodecOpt = Annotated[
    str,
    typer.Option(
        "--codec",
        metavar="NAME",
        rich_help_panel=STORED,
        autocompletion=choice(*CODECS),
        help=f"What holds the half-size pictures: {' or '.join(CODECS)} (smaller, newer viewers).",
    ),
]
PackOpt = Annotated[
    bool,
    typer.Option(
        "--pack/--no-pack",
        rich_help_panel=STORED,
        help="Recompress the JPEGs without loss; viewers need `batchcomp unpack` first.",
    ),
]
EffortOpt = Annotated[
    int,
    typer.Option(
        "--effort",
        min=0,
        max=MAX_EFFORT,
        metavar="N",
        rich_help_panel=STORED,
        help="Refine each picture, up to 9: fewer bytes, many times slower.",
    ),
]
MeasureOpt = Annotated[
    str,
    typer.Option(
        "--measure",
        metavar="HOW",
        rich_help_panel=STORED,
        autocompletion=lambda: list(MEASURES.items()),
        help=f"Restore each picture and compare it with JPEG: {', '.join(MEASURES)}.",
    ),
]
NoMeasureOpt = Annotated[
    bool,
    typer.Option("--no-measure", rich_help_panel=STORED, help="As --measure none: faster, nothing is compared."),
]
MEASURE_PARAMETERS = ("measure", "no_measure")

ParityOpt = Annotated[
    str | None,
    typer.Option(
        "--parity",
        metavar="PERCENT",
        rich_help_panel=STORED,
        help="Recovery data beside each segment, e.g. 5%, with which `repair` restores damage exactly; 0% removes it. "
        "The archive keeps to it.",
    ),
]


def parity_of(text: str | None) -> float | None:
    """Return the share of 1 that "5%" or "5" means.

    Raises:
        UsageError: it is no percentage.
    """
    try:
        return None if text is None else float(text.strip().removesuffix("%")) / 100
    except ValueError:
        raise UsageError(f"parity {text!r}: expected a percentage such as 5%") from None


def measure_of(ctx: typer.Context, how: str, *, no_measure: bool) -> str:
    """How to measure: the command line wins over a configuration file.

    Raises:
        UsageError: both are on the command line, and contradict one another.
    """
    if not no_measure or how == NO_MEASURE:
        return how
    sources = {name: ctx.get_parameter_source(name) for name in MEASURE_PARAMETERS}
    typed = {name for name, source in sources.items() if source and source.name == "COMMANDLINE"}
    if len(typed) > 1:
        raise UsageError(f"--measure {how} and --no-measure: choose one of them")
    return how if typed == {"measure"} else NO_MEASURE


MOST_BYTES = 1e18  # more than a target may be, so that it is refused; infinity would not be a whole number
_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1000, "m": 10**6, "mb": 10**6, "kib": 2**10, "mib": 2**20}


def bytes_of(text: str | None) -> int | None:
    """Return the bytes that "9000", "9kB", "0.2 MB" or "8KiB" mean.

    Raises:
        UsageError: it is no size.
    """
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", text)
    if found is None or found[2].lower() not in _UNITS:
        raise UsageError(f"--max-bytes {text!r}: expected a size such as 9000, 9kB or 0.2MB")
    size = float(found[1]) * _UNITS[found[2].lower()]
    return round(min(size, MOST_BYTES))


def target_of(*values: float | None, given: bool = False) -> Target | None:
    """The target among the options in the order of the panel; `given` says that there is a quality too.

    Raises:
        UsageError: there are several, or one and a quality, or the value makes no sense.
    """
    chosen = [(kind, value) for kind, value in zip(_KINDS, values, strict=True) if value is not None]
    names = [f"--{kind}" for kind, _ in chosen] + ["--quality"] * (given and bool(chosen))
    if len(names) > 1:
        raise UsageError(f"{' and '.join(names)}: choose one of them")
    return Target(kind=chosen[0][0], value=chosen[0][1]) if chosen else None
