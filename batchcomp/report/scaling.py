"""What more cores would bring: a model of a command's stages, beside what was measured on one core and on two.

Stages that work on a picture in its own thread, or tile by tile, share all cores; those of one thread, which all
pictures pass one after the other, do not. On n cores a command then does min(n / sum of all stages' core-seconds, 1 /
core-seconds of the slowest stage of one thread) megapixels a second. The model knows no start-up, no last picture that
is worked on alone, no clock that falls when all cores are busy, and no limit of memory's bandwidth: it is an upper
bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from batchcomp.report.sheet import Sheet
from batchcomp.report.text import ABSENT

CORES: Final = 1, 2, 4, 16, 64
COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "compress": ("load", "ComCNN", "encode", "write"),
    "compress, measured": ("load", "ComCNN", "encode", "decode", "RecCNN", "measure", "write"),
    "decode to PNG": ("read", "decode", "RecCNN", "save PNG"),
}
ONE_THREAD: Final = frozenset({"write"})  # the archive's writer, with its checksums: all pictures of a run pass it
ALONE: Final = ONE_THREAD | {"read", "save PNG"}  # stages that were timed on one core; others on the report's threads


@dataclass(frozen=True, kw_only=True)
class Model:
    """One command. `costs` are core-seconds a megapixel, by stage."""

    command: str
    costs: Mapping[str, float]

    @property
    def slowest(self) -> str | None:
        """The stage of one thread that is saturated first; None where all of them share the cores."""
        return max((stage for stage in self.costs if stage in ONE_THREAD), key=self.costs.__getitem__, default=None)

    @property
    def saturated_from(self) -> float:
        """Cores from which on more of them bring nothing."""
        return sum(self.costs.values()) / self.costs[self.slowest] if self.slowest else math.inf

    def mps(self, cores: int) -> float:
        """Megapixels a second, at most."""
        return min(cores, self.saturated_from) / sum(self.costs.values())


def models(report: Any) -> Iterator[Model]:
    """Yield a model of each command whose stages a `batchcomp.benchmark.speedrun.SpeedReport` all has."""
    costs = {stage.name: (1 if stage.name in ALONE else report.threads) / stage.mps for stage in report.stages}
    for command, stages in COMMANDS.items():
        if all(stage in costs for stage in stages):
            yield Model(command=command, costs={stage: costs[stage] for stage in stages})


def scaling_sheets(report: Any) -> Iterator[Sheet]:
    """The tables of cores: measured, and modelled."""
    if report.scaling:
        yield _measured(report)
    found = list(models(report))
    if found:
        yield _stages(found)
        yield _modelled(found)


def _measured(report: Any) -> Sheet:
    rows = []
    for run in report.scaling:
        per_megapixel = ABSENT if run.cpu_seconds is None else f"{run.cpu_seconds / run.megapixels:.3f}"
        rows.append([run.what, f"{run.seconds:.1f}", f"{run.megapixels / run.seconds:.2f}", per_megapixel])
    return Sheet(
        title="Cores, measured: whole runs with their start",
        columns=[("run", "left"), ("s", "right"), ("MP/s", "right"), ("core-s/MP", "right")],
        rows=rows,
    )


def _stages(found: list[Model]) -> Sheet:
    costs: dict[str, float] = {}
    for model in found:
        costs |= model.costs
    return Sheet(
        title="Cores: what a stage takes",
        columns=[("stage", "left"), ("core-s/MP", "right"), ("cores", "left")],
        rows=[[stage, f"{cost:.4f}", "one" if stage in ONE_THREAD else "all"] for stage, cost in costs.items()],
    )


def _modelled(found: list[Model]) -> Sheet:
    rows = []
    for model in found:
        speeds = [f"{model.mps(cores):.4g}" for cores in CORES]
        first = f"{model.slowest}, {model.saturated_from:,.0f} cores" if model.slowest else "none"
        rows.append([model.command, *speeds, first])
    return Sheet(
        title="Cores, modelled: MP/s at most on so many",
        columns=[("command", "left"), *((str(cores), "right") for cores in CORES), ("saturated first", "left")],
        rows=rows,
    )
