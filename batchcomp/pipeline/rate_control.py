"""Payloads that meet a target: each picture's quality is searched, all pictures of a window at once on the device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from joblib import delayed

from batchcomp.codec.codec import Codec
from batchcomp.images.jpeg_segments import MAX_SIDE
from batchcomp.images.picture import Picture
from batchcomp.metrics.ms_ssim import ms_ssim, ms_ssim_db
from batchcomp.pipeline.encoding import Encoded, confirmed, encode_one
from batchcomp.pipeline.measure import JpegCurve
from batchcomp.pipeline.quality_search import Goal, Search, search
from batchcomp.settings import CompressSettings, Target

START = 50  # quality, where nothing is known
SLACK_BYTES, SLACK_SIMILARITY = 0.018, 0.00045  # what still counts as a hit: share of bytes, MS-SSIM
SLOPE_BYTES, SLOPE_SIMILARITY = 0.026, 0.11  # usual rise a quality: ln(bytes), dB of MS-SSIM
FIRST_BYTES = 0.55  # bits per pixel that a photo usually takes at START


@dataclass
class _Trial:
    """One picture's search; `best` is the best that is allowed, `nearest` the last that is not."""

    picture: Picture
    goal: Goal
    steps: Search
    quality: int = 0
    best: tuple[float, Encoded] | None = None
    nearest: tuple[float, Encoded] | None = None
    over: bool = False


class RateControl:
    """Finds for each picture the payload that meets the settings' target best."""

    def __init__(self, settings: CompressSettings, target: Target, codec: Codec, pool: Any) -> None:
        self.settings, self.target, self.codec, self.pool = settings, target, codec, pool
        self._by_similarity = target.kind == "target-ms-ssim"

    def seek(self, pictures: Sequence[Picture]) -> list[Encoded | None]:
        """One payload a picture; where the target is out of reach, the nearest, and `missed` says so.

        None where the inner codec cannot hold the picture.
        """
        goals = self.pool(delayed(self._goal)(picture) for picture in pictures)
        trials = [self._hunt(picture, goal) for picture, goal in zip(pictures, goals, strict=True)]
        while running := [trial for trial in trials if not trial.over]:
            compacts = self.codec.compact(
                [h.picture for h in running],
                [h.quality / 100 for h in running],
                self.settings.codec,
                self.settings.effort,
            )
            made = self.pool(delayed(encode_one)(compact, self.settings, check=False) for compact in compacts)
            for trial, one, value in zip(running, made, self._values(running, made), strict=True):
                self._step(trial, one, value)
        results: list[Encoded | None] = self.pool(delayed(self._result)(trial) for trial in trials)
        return results

    def _goal(self, picture: Picture) -> Goal:
        if self._by_similarity:
            low, high = ms_ssim_db(self.target.value), ms_ssim_db(self.target.value + SLACK_SIMILARITY)
            return Goal(limit=low, slack=min(3.0, high - low), slope=SLOPE_SIMILARITY, below=False)
        limit = math.log(max(1, limit_bytes(self.target, picture)))
        return Goal(limit=limit, slack=SLACK_BYTES, slope=SLOPE_BYTES, below=True)

    def _hunt(self, picture: Picture, goal: Goal) -> _Trial:
        start = START * 100
        if not self._by_similarity:
            usual = math.log(max(400, FIRST_BYTES * picture.width * picture.height / 8))
            start = min(9500, max(500, round(start + 100 * (goal.limit - usual) / SLOPE_BYTES)))
        steps = search(goal, start)
        return _Trial(picture=picture, goal=goal, steps=steps, quality=next(steps))

    def _values(self, trials: Sequence[_Trial], made: Sequence[Encoded | None]) -> list[float]:
        if not self._by_similarity:
            return [math.log(max(1, self._size(one))) if one else math.inf for one in made]
        there = [(trial.picture, one) for trial, one in zip(trials, made, strict=True) if one]
        restored = self.codec.reconstruct(self.pool(delayed(Codec.decode)(one.plain) for _, one in there))
        found = iter(
            self.pool(delayed(_similarity)(picture, again) for (picture, _), again in zip(there, restored, strict=True))
        )
        return [next(found) if one else math.inf for one in made]

    def _size(self, one: Encoded) -> int:
        return one.image_bytes if self.target.kind == "match-jpeg" else len(one.data)

    def _step(self, trial: _Trial, one: Encoded | None, value: float) -> None:
        if one is None:
            trial.over = True
            return
        if trial.goal.allows(value):
            rank = value if trial.goal.below else -value
            trial.best = max(trial.best or (-math.inf, one), (rank, one), key=lambda trial: trial[0])
        else:
            rank = -value if trial.goal.below else value
            trial.nearest = max(trial.nearest or (-math.inf, one), (rank, one), key=lambda trial: trial[0])
        try:
            trial.quality = trial.steps.send(value)
        except StopIteration:
            trial.over = True

    def _result(self, trial: _Trial) -> Encoded | None:
        if trial.best:
            return confirmed(trial.best[1])
        if not trial.nearest:
            return None
        rank, one = trial.nearest
        if self._by_similarity:
            missed = f"{1 - 10 ** (-rank / 10):.4f} is the most"
        else:
            missed = f"{self._size(one):,} bytes is the least"
        return replace(confirmed(one), missed=missed)


def _similarity(picture: Picture, restored: Picture) -> float:
    """MS-SSIM in dB, finite."""
    return min(99.0, ms_ssim_db(ms_ssim(picture.pixels, restored.pixels)))


def limit_bytes(target: Target, picture: Picture) -> int:
    """Bytes that a payload may have; for `match-jpeg` without its metadata, which that JPEG lacks too."""
    if target.kind == "max-bytes":
        return int(target.value)
    if target.kind == "max-bpp":
        return math.floor(target.value * picture.width * picture.height / 8)
    if max(picture.width, picture.height) > MAX_SIDE:
        return 2**62  # there is no such JPEG
    return JpegCurve(picture.pixels).size(int(target.value))
