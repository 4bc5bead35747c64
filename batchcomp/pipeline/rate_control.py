"""Payloads that meet a target: each picture's quality is searched, all pictures of a window at once on the device."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from batchcomp.images.picture import Picture
from batchcomp.metrics.ms_ssim import ms_ssim, ms_ssim_db
from batchcomp.metrics.ssimulacra2 import ssimulacra2
from batchcomp.pipeline.alternatives import limit_bytes, wanted_similarity
from batchcomp.pipeline.context import Context
from batchcomp.pipeline.encoding import confirmed
from batchcomp.pipeline.job import Encoded, Job
from batchcomp.pipeline.quality_search import Goal, Search, search
from batchcomp.pipeline.stages import compacted, encoded, restored
from batchcomp.settings import Target

START = 50  # quality, where nothing is known
SLACK_BYTES, SLACK_SIMILARITY = 0.018, 0.00045  # what still counts as a hit: share of bytes, MS-SSIM
SLOPE_BYTES, SLOPE_SIMILARITY = 0.026, 0.11  # usual rise a quality: ln(bytes), dB of MS-SSIM
SLACK_DB = 0.1  # the same where JPEG is matched, whose users count bytes: 2 to 3 % of them
MOST_DB = 99.0  # what stands for infinity
SLACK_EYE, SLOPE_EYE = 0.4, 0.6  # the same of SSIMULACRA2, in points
FIRST_BYTES = 0.55  # bits per pixel that a photo usually takes at START


@dataclass
class _Search:
    """One picture's search. `best` is the best payload within the goal, `nearest` the best of those that miss it."""

    job: Job
    goal: Goal
    trials: Search
    quality: int  # of the next trial, in hundredths
    best: tuple[float, Encoded] | None = None
    nearest: tuple[float, Encoded] | None = None
    over: bool = False
    wanted: float = 0.0  # MS-SSIM, where the target is one


class RateControl:
    """Finds for each picture the payload that meets the settings' target best."""

    def __init__(self, context: Context, target: Target) -> None:
        self.context, self.target = context, target
        self._by_similarity = target.kind in {"match-jpeg", "target-ms-ssim", "target-ssimulacra2"}
        self._by_eye = target.kind == "target-ssimulacra2"

    def run(self, jobs: list[Job]) -> list[Job]:
        """Give each job the payload that meets the target; where it is out of reach the nearest, and `missed` says so.

        A job stays without a payload where the inner codec cannot hold the picture.
        """
        searches = self.context.workers.map(self._begun, jobs)
        while running := [one for one in searches if not one.over]:
            self._try(running)
        return self.context.workers.map(self._result, searches)

    def _begun(self, job: Job) -> _Search:
        picture = job.picture
        wanted = wanted_similarity(self.target, picture)
        goal = self._goal(picture, wanted)
        start = START * 100
        if not self._by_similarity:
            usual = math.log(max(400, FIRST_BYTES * picture.width * picture.height / 8))
            start = min(9500, max(500, round(start + 100 * (goal.limit - usual) / SLOPE_BYTES)))
        trials = search(goal, start)
        return _Search(job=job, goal=goal, trials=trials, quality=next(trials), wanted=wanted)

    def _goal(self, picture: Picture, wanted: float) -> Goal:
        if self._by_eye:
            return Goal(limit=self.target.value, slack=SLACK_EYE, slope=SLOPE_EYE, below=False)
        if self._by_similarity:
            low, high = ms_ssim_db(wanted), ms_ssim_db(min(1.0, wanted + SLACK_SIMILARITY))
            slack = SLACK_DB if self.target.kind == "match-jpeg" else 3.0
            return Goal(limit=min(MOST_DB, low), slack=min(slack, high - low), slope=SLOPE_SIMILARITY, below=False)
        limit = math.log(max(1, limit_bytes(self.target, picture)))
        return Goal(limit=limit, slack=SLACK_BYTES, slope=SLOPE_BYTES, below=True)

    def _try(self, searches: list[_Search]) -> None:
        """Make one more payload for each, and take in what it comes to."""
        jobs = compacted([one.job for one in searches], self.context, [one.quality / 100 for one in searches])
        jobs = encoded(jobs, self.context, check=False)
        for one, job, value in zip(searches, jobs, self._values(jobs), strict=True):
            self._note(one, job.encoded, value)

    def _values(self, jobs: list[Job]) -> list[float]:
        """What the goal is about: the logarithm of the bytes, or `_likeness`; infinite without a payload."""
        if not self._by_similarity:
            return [math.log(max(1, self._size(job.encoded))) if job.encoded else math.inf for job in jobs]
        made = [job for job in jobs if job.encoded]
        pairs = zip(made, restored(made, self.context), strict=True)
        found = iter(self.context.workers.map(lambda pair: self._likeness(pair[0].picture, pair[1]), pairs))
        return [next(found) if job.encoded else math.inf for job in jobs]

    def _likeness(self, picture: Picture, again: Picture) -> float:
        """SSIMULACRA2, or MS-SSIM in dB, finite."""
        if self._by_eye:
            return ssimulacra2(again.pixels, picture.pixels)
        return min(MOST_DB, ms_ssim_db(ms_ssim(picture.pixels, again.pixels)))

    def _size(self, made: Encoded) -> int:
        return made.image_bytes if self.target.kind == "match-jpeg-bytes" else len(made.data)

    def _note(self, search: _Search, made: Encoded | None, value: float) -> None:
        if made is None:
            search.over = True
            return
        if search.goal.allows(value):
            rank = value if search.goal.below else -value
            search.best = max(search.best or (-math.inf, made), (rank, made), key=lambda trial: trial[0])
        else:
            rank = -value if search.goal.below else value
            search.nearest = max(search.nearest or (-math.inf, made), (rank, made), key=lambda trial: trial[0])
        try:
            search.quality = search.trials.send(value)
        except StopIteration:
            search.over = True

    def _result(self, search: _Search) -> Job:
        if search.best:
            return replace(search.job, encoded=replace(confirmed(search.best[1]), wanted=search.wanted))
        if not search.nearest:
            return search.job
        rank, made = search.nearest
        if self._by_eye:
            missed = f"{rank:.1f} is the most"
        elif self._by_similarity:
            missed = f"{1 - 10 ** (-rank / 10):.4f} is the most"
        else:
            missed = f"{self._size(made):,} bytes is the least"
        return replace(search.job, encoded=replace(confirmed(made), missed=missed, wanted=search.wanted))
