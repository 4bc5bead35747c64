"""`batchcomp bench`: what it measures, a subcommand each."""

from __future__ import annotations

from collections.abc import Callable

from batchcomp.cli.bench.cohorts import bench_cohorts
from batchcomp.cli.bench.curves import bench_curves
from batchcomp.cli.bench.speed import bench_speed

HELP = "Compare with other codecs on your pictures. Needs the extra [bench]."
COMMANDS: dict[str, Callable[..., None]] = {"curves": bench_curves, "speed": bench_speed, "cohorts": bench_cohorts}
