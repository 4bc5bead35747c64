"""Simulate how a cluster does the parts of a job: stragglers, workers that die, a scheduler that takes its time.

    python tools/simulate_cluster.py            the tables of docs/scale.md
    python tools/simulate_cluster.py --parts 5000 --seconds 200 --workers 1000 --mtbf-hours 100

The scheduler is that of `pipeline/executors/dask.py`: every worker has a part in hand and one waiting; a part whose
worker dies is begun again from nothing, by whoever is free; the segment of a part is committed at its end. Efficiency
is the seconds that parts take by themselves over the seconds that all workers were there for.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import sys
from collections import deque
from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Work:
    """The parts of a job: how many, and how long one takes one core.

    Attributes:
        parts: how many.
        seconds: of computing for a part, on average.
        spread: standard deviation of a part's logarithm: 0 where all are the same.
        stragglers: the share of tries that take `slowdown` times as long: a busy neighbour, a disk that retries.
        slowdown: see `stragglers`.
    """

    parts: int
    seconds: float
    spread: float = 0.3
    stragglers: float = 0.01
    slowdown: float = 5.0


@dataclass(frozen=True, kw_only=True)
class Workers:
    """What does the parts.

    Attributes:
        count: processes of one core each.
        mtbf_hours: mean time between failures of one worker; infinity for none.
        away: seconds until one that died is back, its model loaded, a first part in hand.
        noticed: seconds until the scheduler knows that one died.
        dispatch: seconds that the scheduler takes for one part, all workers' one after the other.
    """

    count: int
    mtbf_hours: float = math.inf
    away: float = 30.0
    noticed: float = 5.0
    dispatch: float = 0.001


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a simulated run came to."""

    hours: float
    efficiency: float
    deaths: int
    repeated: float  # share of all computing that was lost with workers
    done: int


def simulate(work: Work, workers: Workers, seed: int = 0) -> Run:
    """Run a job once."""
    chance = random.Random(seed)  # noqa: S311 - moments, no secrets
    mean = -(work.spread**2) / 2
    sizes = [work.seconds * math.exp(chance.gauss(mean, work.spread)) for _ in range(work.parts)]
    waiting = deque(range(work.parts))
    free = [(0.0, worker) for worker in range(workers.count)]  # when each worker wants its next part
    back: list[tuple[float, int]] = []  # when the scheduler has a lost part again
    scheduler = end = lost = 0.0
    deaths = done = 0
    while done < work.parts:
        now, worker = heapq.heappop(free)
        while back and back[0][0] <= now:
            waiting.append(heapq.heappop(back)[1])
        if not waiting:
            if back:  # whoever is free waits for the part that comes back next
                heapq.heappush(free, (back[0][0], worker))
            elif not free:
                break
            continue
        part = waiting.popleft()
        scheduler = max(scheduler, now) + workers.dispatch
        takes = sizes[part] * (work.slowdown if chance.random() < work.stragglers else 1.0)
        dies = chance.expovariate(1 / (3600 * workers.mtbf_hours)) if workers.mtbf_hours < math.inf else math.inf
        if dies < takes:
            deaths += 1
            lost += dies
            heapq.heappush(back, (scheduler + dies + workers.noticed, part))
            heapq.heappush(free, (scheduler + dies + workers.away, worker))
        else:
            done += 1
            end = max(end, scheduler + takes)
            heapq.heappush(free, (scheduler + takes, worker))
    total = sum(sizes)
    return Run(
        hours=end / 3600,
        efficiency=total / (end * workers.count),
        deaths=deaths,
        repeated=lost / (total + lost),
        done=done,
    )


def mean_of(work: Work, workers: Workers, runs: int = 5) -> Run:
    """Return the mean of some runs with seeds of their own."""
    found = [simulate(work, workers, seed) for seed in range(runs)]
    return Run(
        hours=sum(run.hours for run in found) / runs,
        efficiency=sum(run.efficiency for run in found) / runs,
        deaths=round(sum(run.deaths for run in found) / runs),
        repeated=sum(run.repeated for run in found) / runs,
        done=min(run.done for run in found),
    )


ROW = "| {:,} | {:,} | {:,} | {:,.1f} | {} | {:,.2f} | {:.1%} | {:,} | {:.2%} |\n"
HEAD = (
    "| pictures | workers | files a part | minutes a part | failures of a worker "
    "| hours | efficiency | deaths | repeated |\n"
    "|---|---|---|---|---|---|---|---|---|\n"
)


def table(pictures: int, files: int, seconds: float, workers: tuple[int, ...]) -> str:
    """Return the rows of one job on several clusters, without and with failures."""
    text = ""
    for count in workers:
        for mtbf, failures in ((math.inf, "none"), (1000.0, "1/1000 h"), (10.0, "1/10 h")):
            work = Work(parts=-(-pictures // files), seconds=seconds * files)
            run = mean_of(work, Workers(count=count, mtbf_hours=mtbf), 3)
            text += ROW.format(
                pictures, count, files, work.seconds / 60, failures, run.hours, run.efficiency, run.deaths, run.repeated
            )
    return text


def main(words: list[str]) -> None:
    """Print the tables, or one run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--parts", type=int, help="simulate one job of so many parts")
    parser.add_argument("--seconds", type=float, default=1000.0, help="of computing in a part")
    parser.add_argument("--spread", type=float, default=Work.spread)
    parser.add_argument("--stragglers", type=float, default=Work.stragglers)
    parser.add_argument("--workers", type=int, default=100)
    parser.add_argument("--mtbf-hours", type=float, default=math.inf)
    asked = parser.parse_args(words)
    if asked.parts:
        work = Work(parts=asked.parts, seconds=asked.seconds, spread=asked.spread, stragglers=asked.stragglers)
        workers = Workers(count=asked.workers, mtbf_hours=asked.mtbf_hours)
        sys.stdout.write(
            f"{mean_of(work, workers)}\n{mean_of(replace(work, stragglers=0.0), workers)} without stragglers\n"
        )
        return
    sys.stdout.write(HEAD)
    for files in (32, 256, 2048):
        sys.stdout.write(table(1_000_000, files, SECONDS, (16, 128)))
    sys.stdout.write(table(100_000_000, 256, SECONDS, (1_000, 5_000)))


SECONDS = 2.7  # of one core for a picture of 2 megapixels, measured `quick`: docs/scale.md

if __name__ == "__main__":
    main(sys.argv[1:])
