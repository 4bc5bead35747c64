"""Compression against speed: what each codec saves at each of its speeds, and what our own codecs are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from batchcomp.report.sheet import Sheet

OURS: Final = "batchcomp"
DEFAULT: Final = "default"  # the model that a name of ours leaves out
PACKED: Final = "--pack"
MEASURED: Final = ", measured"  # ends a name of ours: the speed with measuring, of the same bytes
UNIT: Final = "encoding, megapixels a second"
SAVED: Final = "% saved against JPEG, equal MS-SSIM"
# a rival's setting for speed -> what curves of its usual speed are called
USUAL: Final[Mapping[str, str]] = {
    "avif speed 6": "avif",
    "webp method 6": "webp",
    "jpegxl effort 7": "jpegxl",
    "svt-av1 preset 6": "svt-av1",
}
_FAMILIES: Final = (OURS, "avif", "svt-av1", "jpegxl", "webp", "mozjpeg", "jpegli", "jpeg")


@dataclass(frozen=True, kw_only=True)
class TradePoint:
    """One codec at one of its speeds."""

    line: str  # the codec; ours with its packing
    name: str  # of this point: a rival with its setting, the model of ours and whether it measured
    speed: float  # of encoding, in any unit
    saved: float  # percent of JPEG's bytes at equal MS-SSIM


def name_of(model: str, *options: str) -> str:
    """Return what our codec with a model and options is called: "batchcomp", "batchcomp fast --pack"."""
    return " ".join([OURS, *([] if model == DEFAULT else [model]), *options])


def is_ours(name: str) -> bool:
    """Tell whether a codec is ours."""
    return name == OURS or name.startswith(f"{OURS} ")


def model_of(name: str) -> tuple[str, str]:
    """Return the model of a codec of ours, and its options as typed: what `name_of` put together."""
    model, dashes, options = name.removeprefix(OURS).partition(" --")
    return model.strip() or DEFAULT, f"--{options}" if dashes else ""


def family_of(name: str) -> str:
    """Return the codec that a name with a setting is of."""
    return next((family for family in _FAMILIES if name == family or name.startswith(f"{family} ")), name)


def savings(result: Any) -> dict[str, float]:
    """Return the percent of bytes that each codec saves at equal MS-SSIM against JPEG.

    Args:
        result: a `benchmark.run.BenchResult` (not imported: its room needs the extra).
    """
    return {
        one.rival: 0.0 - change
        for one in result.bd_rates
        if one.anchor == "jpeg"
        and (change := one.in_usual_span if one.in_usual_span is not None else one.of_mean_curve) is not None
    }


def whole_speeds(report: Any) -> dict[str, tuple[float, float | None]]:
    """Return the speeds of whole runs by codec, in megapixels a second without the start-up.

    Args:
        report: a `benchmark.speedrun.SpeedReport`.

    Returns:
        of `compress`, and of `decode` of what it wrote where that was run; a name of ours may end in `MEASURED`.
    """
    runs = {run.what: run.working_mps(report.startup_seconds) for run in report.wholes}
    found = {}
    for what, speed in runs.items():
        command, *marks = what.split(", ")
        if command == "compress":
            models = [mark for mark in marks if mark not in {"measured", "packed"}]
            options = [PACKED] if "packed" in marks else []
            name = name_of(models[0] if models else report.model, *options)
            decoded = None if options else runs.get(", ".join(["decode to PNG", *models]))
            found[name + (MEASURED if "measured" in marks else "")] = speed, decoded
    return found


def speeds_in(report: Any) -> dict[str, float]:
    """Return the encoding speed of each codec of a `SpeedReport`, in megapixels a second."""
    rivals = {one.name: one.encode_mps for one in report.rivals}
    return rivals | {name: encoding for name, (encoding, _) in whole_speeds(report).items()}


def point_name(name: str) -> tuple[str, str]:
    """Return the line that a codec's point belongs to, and what the point is called."""
    codec = name.removesuffix(MEASURED)
    if not is_ours(codec):
        return family_of(name), name
    model, options = model_of(codec)
    measured = "measured" if codec != name else "not measured"
    return name_of(DEFAULT, *options.split()), f"{' '.join([model, *options.split()])}, {measured}"


def trade(saved: Mapping[str, float], speeds: Mapping[str, float]) -> list[TradePoint]:
    """Return every codec of which both are known, ours first, then as given; each codec's points by speed.

    Args:
        saved: percent of bytes saved at equal MS-SSIM against JPEG, by codec.
        speeds: of encoding, by codec; a rival's name may have a setting, one of ours end in `MEASURED`.
    """
    lines: dict[str, list[TradePoint]] = {}
    for name, speed in speeds.items():
        codec = name.removesuffix(MEASURED)
        known = codec if codec in saved else USUAL.get(codec, "")
        if known in saved and speed > 0:
            line, point = point_name(name)
            found = TradePoint(line=line, name=point, speed=speed, saved=saved[known])
            lines.setdefault(line, []).append(found)
    ordered = sorted(lines, key=lambda line: not is_ours(line))
    return [point for line in ordered for point in sorted(lines[line], key=lambda one: one.speed)]


def trade_sheet(points: Sequence[TradePoint]) -> Sheet:
    """Return the same as a table."""
    return Sheet(
        title=f"Compression against speed: {SAVED}",
        columns=[("codec", "left"), ("MP/s", "right"), ("saved", "right")],
        rows=[[_row_name(one), f"{one.speed:.3g}", f"{one.saved:.1f} %"] for one in points],
    )


def _row_name(point: TradePoint) -> str:
    return f"{OURS} {point.name}" if is_ours(point.line) else point.name
