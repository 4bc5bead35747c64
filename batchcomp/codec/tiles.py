"""Run a network over pictures of any size in tiles whose result equals the whole picture's.

A tile's border pixels are wrong by what they cannot see, so each tile is cut with a halo as wide as the network's
receptive field and the halo is thrown away. On a CPU every core takes one tile at a time; on another device tiles of
one shape form batches, across different pictures too. Beside the pictures and the answers, both uint8, memory holds
no more than the tiles in hand, whatever the sizes.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

from batchcomp.codec.engines.base import DeviceMemoryError, Engine, Tiles
from batchcomp.errors import UsageError
from batchcomp.images.picture import Pixels
from batchcomp.settings import available_cores

TILE = 768  # least side in pixels of the picture at the network's larger end; the halo comes on top
ROOM = 11 << 20  # bytes of one layer's output that a tile with its halo may take; a run holds some 20 such at once
LUMA = (299, 587, 114)  # thousandths of R, G and B; BT.601, as JFIF
MANY = 8  # tiles of a picture after which an engine rests, if it computes no other one: other stages have its memory
IN_FLIGHT = 2  # batches on a device: while one computes, the next is cut and copied


@dataclass(frozen=True)
class TileSpan:
    """Along one axis: a tile reads [outer0, outer1) and answers for [inner0, inner1)."""

    outer0: int
    inner0: int
    inner1: int
    outer1: int


@dataclass(frozen=True)
class Tile:
    """A tile of picture number `picture`."""

    picture: int
    rows: TileSpan
    columns: TileSpan

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows.outer1 - self.rows.outer0, self.columns.outer1 - self.columns.outer0


@dataclass(frozen=True, kw_only=True)
class TilePlan:
    """How a network changes size and how far it sees.

    `unit` divides every tile edge; `up` / `down` is the factor from input to output sides; `halo` is in input pixels.
    """

    unit: int
    up: int
    down: int
    halo: int
    tile: int

    def scaled(self, length: int) -> int:
        """Output pixels of so many input pixels, rounded up."""
        return -(-length * self.up // self.down)


def spans(length: int, tile: int, halo: int) -> Iterator[TileSpan]:
    """Cut [0, length) into pieces of at most `tile`, each with up to `halo` on both sides.

    A last piece shorter than a quarter tile joins the piece before it.
    """
    start = 0
    while start < length:
        end = min(start + tile, length)
        if length - end < tile // 4:
            end = length
        yield TileSpan(max(0, start - halo), start, end, min(length, end + halo))
        start = end


def cut_up(shapes: Sequence[tuple[int, int]], plan: TilePlan) -> Iterator[Tile]:
    """Tiles of pictures of (height, width) `shapes`, each rounded up to the plan's unit."""
    for number, sides in enumerate(shapes):
        height, width = (-(-side // plan.unit) * plan.unit for side in sides)
        for rows in spans(height, plan.tile, plan.halo):
            for columns in spans(width, plan.tile, plan.halo):
                yield Tile(number, rows, columns)


def to_grey(pixels: Pixels) -> Pixels:
    """BT.601 luma (H, W, 1) of (H, W, 3)."""
    luma = np.full(pixels.shape[:2], 500, np.int32)  # rounds
    for channel, share in enumerate(LUMA):
        luma += share * pixels[:, :, channel].astype(np.int32)
    return (luma // 1000).astype(np.uint8)[:, :, None]


def side_of(halo: int, bytes_per_pixel: float, *, least: int) -> int:
    """The side of a tile, in input pixels like all of these, so that a layer's output is at most about `ROOM`.

    The wider the halo, the larger tiles should be, for it is computed twice; the thinner the layers, the larger they
    can be.
    """
    return max(least, int((ROOM / bytes_per_pixel) ** 0.5) - 2 * halo)


Passed = Callable[[int, int], None]


class Runner:
    """Runs networks over pictures, with this many threads on a CPU or this many tiles at once on another device.

    Where a device has too little memory for a batch, batches are halved from then on and the work goes on. One that
    travels to another process has nothing under way there.
    """

    def __init__(self, *, threads: int = 0, batch: int = 1) -> None:
        self.threads, self.batch = threads, batch  # threads 0: one a core
        self._under_way, self._lock = 0, threading.Lock()  # calls of `run` that compute tile by tile

    def __reduce__(self) -> tuple[partial[Runner], tuple[()]]:
        return partial(Runner, threads=self.threads, batch=self.batch), ()

    def run(
        self,
        engine: Engine,
        pictures: Sequence[Pixels],
        log_coarsenesses: Sequence[float],
        plan: TilePlan,
        *,
        passed: Passed | None = None,
    ) -> list[Pixels]:
        """Apply a network to uint8 pictures (H, W, 3 or 1) of any sizes.

        Args:
            engine: the network, uint8 to uint8 with sides * up / down.
            pictures: the inputs; a grey one goes through as RGB and comes back as its luma.
            log_coarsenesses: one a picture.
            plan: the network's geometry.
            passed: told which picture needs so many of its first rows no longer. Batches tell nothing: their tiles
                are not in order.

        Returns:
            uint8 of the pictures' channels, sides ceil(side * up / down).

        Raises:
            UsageError: the device's memory does not hold a single tile.
        """
        answers = [np.empty((*map(plan.scaled, p.shape[:2]), p.shape[2]), np.uint8) for p in pictures]
        work = _Work(pictures=pictures, answers=answers, log_coarsenesses=log_coarsenesses, plan=plan)
        jobs = list(cut_up([p.shape[:2] for p in pictures], plan))
        if engine.parallel:
            with self._counted():
                self._spread(engine, work, jobs, passed)
            if len(jobs) >= MANY and not self._under_way:
                engine.rest()
        else:
            self._in_batches(engine, work, jobs)
        return answers

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def _spread(self, engine: Engine, work: _Work, jobs: list[Tile], passed: Passed | None) -> None:
        """One tile a thread. Whatever their number, each tile is computed alone and by one: so is the answer."""

        def one(tile: Tile) -> None:
            work.paste(tile, engine.finish(engine.start(work.cut([tile]), work.levels([tile])))[0])

        done = _pool(self.threads or available_cores(), engine.begin_thread).map(one, jobs)
        for tile, following, _ in zip(jobs, [*jobs[1:], None], done, strict=True):
            if passed:
                same = following is not None and following.picture == tile.picture
                passed(tile.picture, following.rows.outer0 if following and same else len(work.pictures[tile.picture]))

    def _in_batches(self, engine: Engine, work: _Work, jobs: list[Tile]) -> None:
        groups: dict[tuple[int, int], list[Tile]] = defaultdict(list)
        for tile in jobs:
            groups[tile.shape].append(tile)
        begun: deque[tuple[list[Tile], Any]] = deque()
        for group in groups.values():
            left = deque(group)
            while left:
                chunk = [left.popleft() for _ in range(min(self.batch, len(left)))]
                try:
                    begun.append((chunk, engine.start(work.cut(chunk), work.levels(chunk))))
                except DeviceMemoryError as error:
                    self._halve(error)
                    left.extendleft(reversed(chunk))
                    self._collect(engine, work, begun, leave=0)
                self._collect(engine, work, begun, leave=IN_FLIGHT - 1)
        self._collect(engine, work, begun, leave=0)

    @staticmethod
    def _collect(engine: Engine, work: _Work, begun: deque[tuple[list[Tile], Any]], *, leave: int) -> None:
        while len(begun) > leave:
            chunk, result = begun.popleft()
            for tile, pixels in zip(chunk, engine.finish(result), strict=True):
                work.paste(tile, pixels)

    def _halve(self, error: DeviceMemoryError) -> None:
        if self.batch == 1:
            raise UsageError("the device's memory does not hold a single tile; use --device cpu") from error
        self.batch //= 2


@dataclass(frozen=True, kw_only=True)
class _Work:
    """Pictures being answered tile by tile."""

    pictures: Sequence[Pixels]
    answers: Sequence[Pixels]
    log_coarsenesses: Sequence[float]
    plan: TilePlan

    def levels(self, chunk: Sequence[Tile]) -> list[float]:
        return [self.log_coarsenesses[tile.picture] for tile in chunk]

    def cut(self, chunk: Sequence[Tile]) -> Tiles:
        """(B, H, W, 3) of tiles of one shape; beyond the picture its last row and column repeat."""
        answer = np.empty((len(chunk), *chunk[0].shape, 3), np.uint8)
        for tile, target in zip(chunk, answer, strict=True):
            pixels = self.pictures[tile.picture]
            pixels = pixels[tile.rows.outer0 : tile.rows.outer1, tile.columns.outer0 : tile.columns.outer1]
            height, width = pixels.shape[:2]
            target[:height, :width] = pixels
            target[:height, width:] = pixels[:, -1:]
            target[height:] = target[height - 1]
        return answer

    def paste(self, tile: Tile, pixels: Pixels) -> None:
        """Put a tile's own part into its answer. Parts do not overlap: threads may do so at once."""
        answer, plan, rows, columns = self.answers[tile.picture], self.plan, tile.rows, tile.columns
        top, left = plan.scaled(rows.inner0 - rows.outer0), plan.scaled(columns.inner0 - columns.outer0)
        down = slice(plan.scaled(rows.inner0), plan.scaled(rows.inner1))
        across = slice(plan.scaled(columns.inner0), plan.scaled(columns.inner1))
        target = answer[down, across]
        part = pixels[top : top + target.shape[0], left : left + target.shape[1]]
        target[...] = to_grey(part) if answer.shape[2] == 1 else part


@lru_cache(maxsize=4)
def _pool(threads: int, begin_thread: Callable[[], None]) -> ThreadPoolExecutor:
    """Threads that compute tiles."""
    return ThreadPoolExecutor(threads, "tiles", initializer=begin_thread)
