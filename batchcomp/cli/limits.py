"""What `compress` asks of files it has no reason to trust: ceilings, and where they are decoded."""

from __future__ import annotations

from typing import Annotated

import typer

from batchcomp.cli.options import WHICH
from batchcomp.settings import DEFAULT_LIMITS, MOST_LIMITS, Limits

_PANEL = "Untrusted files"
_MB, _MP = 1_000_000, 1_000_000
_MOST_PIXELS, _MOST_SIDE = MOST_LIMITS["max_pixels"] // _MP, MOST_LIMITS["max_side"]
_MOST_BYTES, _MOST_METADATA = MOST_LIMITS["max_bytes"] // _MB, MOST_LIMITS["max_metadata_bytes"] // _MB
_MOST_SECONDS, _MOST_MEMORY = MOST_LIMITS["max_seconds"], MOST_LIMITS["max_memory"] // _MB

VerbatimOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--verbatim",
        metavar="GLOB",
        rich_help_panel=WHICH,
        help="Carry along files that match and are no (sound) pictures, as they are.",
    ),
]
IncludeOpt = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", rich_help_panel=WHICH, help="Take only files that match; can be repeated."),
]
ExcludeOpt = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", rich_help_panel=WHICH, help="Leave out files and folders that match, too."),
]
FollowOpt = Annotated[
    bool,
    typer.Option(
        "--follow-symlinks/--no-follow-symlinks",
        rich_help_panel=WHICH,
        help="Take what symbolic links in folders point to.",
    ),
]
IsolateOpt = Annotated[
    bool,
    typer.Option("--isolate/--no-isolate", help="Decode in processes of their own.", rich_help_panel=_PANEL),
]
MaxPixelsOpt = Annotated[
    float,
    typer.Option(
        "--max-pixels", min=0.0001, max=_MOST_PIXELS, metavar="MEGAPIXELS", rich_help_panel=_PANEL, help="Of a picture."
    ),
]
MaxSideOpt = Annotated[
    int,
    typer.Option(
        "--max-side", min=1, max=_MOST_SIDE, metavar="PIXELS", rich_help_panel=_PANEL, help="Of width and height."
    ),
]
MaxBytesOpt = Annotated[
    float,
    typer.Option("--max-source", min=0.0001, max=_MOST_BYTES, metavar="MB", rich_help_panel=_PANEL, help="Of a file."),
]
MaxMetadataOpt = Annotated[
    float,
    typer.Option(
        "--max-metadata",
        min=0.0001,
        max=_MOST_METADATA,
        metavar="MB",
        rich_help_panel=_PANEL,
        help="EXIF, ICC, texts, ...",
    ),
]
MaxSecondsOpt = Annotated[
    float,
    typer.Option(
        "--max-seconds",
        min=0.1,
        max=_MOST_SECONDS,
        metavar="SECONDS",
        rich_help_panel=_PANEL,
        help="Of decoding a picture.",
    ),
]
MaxMemoryOpt = Annotated[
    float,
    typer.Option(
        "--max-memory", min=300, max=_MOST_MEMORY, metavar="MB", rich_help_panel=_PANEL, help="Of decoding a picture."
    ),
]
MAX_PIXELS, MAX_SIDE = DEFAULT_LIMITS.max_pixels / _MP, DEFAULT_LIMITS.max_side
MAX_BYTES, MAX_METADATA = DEFAULT_LIMITS.max_bytes / _MB, DEFAULT_LIMITS.max_metadata_bytes / _MB
MAX_SECONDS, MAX_MEMORY = DEFAULT_LIMITS.max_seconds, DEFAULT_LIMITS.max_memory / _MB


def limits_of(*, pixels: float, side: int, size: float, metadata: float, seconds: float, memory: float) -> Limits:
    """Turn the options into limits."""
    return Limits(
        max_pixels=round(pixels * _MP),
        max_side=side,
        max_bytes=round(size * _MB),
        max_metadata_bytes=round(metadata * _MB),
        max_seconds=seconds,
        max_memory=round(memory * _MB),
    )
