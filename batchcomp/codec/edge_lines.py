"""Lines of one colour along a picture's edges, as scanners leave them: stored as such, and not as picture.

Half size cannot hold a line of one pixel, and what stands beside it suffers too. So rows and columns each of which has
one colour throughout are taken off before the networks see the picture, and come back exactly. Only thin ones are:
what is wider than `MOST_LINES` survives half size, and viewers of the compact picture should show it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from batchcomp.images.picture import Pixels

TOP, BOTTOM, LEFT, RIGHT = range(4)
SIDES: Final = (TOP, BOTTOM, LEFT, RIGHT)
MOST_LINES: Final = 8  # that are taken off a side
LEAST_SIDE: Final = 64  # pixels of a picture that loses lines
_COUNT_BITS: Final = 6  # of the byte that begins a run; the two above them are the side


@dataclass(frozen=True, kw_only=True)
class Run:
    """Lines of one colour side by side."""

    side: int  # one of `SIDES`
    count: int  # 1 to `MOST_LINES`
    colour: bytes  # R, G and B, or a level of grey

    def __bytes__(self) -> bytes:
        """A byte of side and count, then the colour."""
        return bytes((self.side << _COUNT_BITS | self.count,)) + self.colour


Runs = tuple[Run, ...]  # in the order in which they are taken off: outermost first


def runs_of(pixels: Pixels) -> Runs:
    """Find the lines to take off a picture (H, W, 3 or 1).

    Those at the top and on the left are of an even number, so that half size has the same pixels together as before:
    what is left of a frame whose inner lines are not of one colour would else fall apart.
    """
    if min(pixels.shape[:2]) < LEAST_SIDE:
        return ()
    most = dict.fromkeys(SIDES, MOST_LINES)
    while True:
        found = _found(pixels, most)
        taken = dict(zip(SIDES, counts(found), strict=True))
        odd = [side for side in (TOP, LEFT) if taken[side] % 2]
        if not odd:
            return found
        most |= {side: taken[side] - 1 for side in odd}


def _found(pixels: Pixels, most: Mapping[int, int]) -> Runs:
    """Take lines off side by side, until there are no more, or as many as each side may lose."""
    found: list[Run] = []
    taken: Counter[int] = Counter()
    open_sides = list(SIDES)
    while open_sides:
        side = open_sides.pop(0)
        count, colour = _outermost(_lines(pixels, side), MOST_LINES - taken[side])
        if count := min(count, most[side] - taken[side]):
            found.append(Run(side=side, count=count, colour=colour))
            taken[side] += count
            pixels = without(pixels, found[-1:])
            open_sides = [*SIDES]  # shorter lines may have one colour now
    return tuple(found)


def _outermost(lines: Pixels, most: int) -> tuple[int, bytes]:
    """How many of the first lines have one colour, and which; 0 where more than `most` do."""
    colour = lines[0, 0]
    same = [bool((line == colour).all()) for line in lines[: most + 1]]
    count = same.index(False) if False in same else len(same)
    return (count if count <= most else 0), colour.tobytes()


def _lines(pixels: Pixels, side: int) -> Pixels:
    """A view of the pixels whose rows are the lines of a side, the outermost first."""
    seen = pixels if side in (TOP, BOTTOM) else pixels.transpose(1, 0, 2)
    return seen[::-1] if side in (BOTTOM, RIGHT) else seen


def without(pixels: Pixels, runs: Sequence[Run]) -> Pixels:
    """A view of a picture without its lines."""
    top, bottom, left, right = counts(runs)
    height, width = pixels.shape[:2]
    return pixels[top : height - bottom, left : width - right]


def counts(runs: Sequence[Run]) -> tuple[int, int, int, int]:
    """Lines at the top, at the bottom, on the left and on the right."""
    taken: Counter[int] = Counter()
    for run in runs:
        taken[run.side] += run.count
    return taken[TOP], taken[BOTTOM], taken[LEFT], taken[RIGHT]


def put_back(pixels: Pixels, runs: Sequence[Run]) -> Pixels:
    """The picture (H, W, C) that `runs` were taken off."""
    if not runs:
        return pixels
    top, bottom, left, right = counts(runs)
    height, width, channels = pixels.shape
    answer = np.empty((top + height + bottom, left + width + right, channels), np.uint8)
    inner = answer
    for run in runs:
        _lines(inner, run.side)[: run.count] = np.frombuffer(run.colour, np.uint8)
        inner = without(inner, [run])
    inner[...] = pixels
    return answer


def to_bytes(runs: Runs) -> bytes:
    """Their number in a byte, then each."""
    return bytes((len(runs),)) + b"".join(map(bytes, runs))


def from_bytes(data: bytes, channels: int) -> Runs:
    """Read what `to_bytes` wrote of a picture of so many channels.

    Raises:
        ValueError: it did not write this.
    """
    if not data or not data[0] or len(data) != 1 + data[0] * (1 + channels):
        raise ValueError("no lines along the edges")
    runs = tuple(_read(data[1:], 1 + channels))
    if any(run.count < 1 for run in runs) or max(counts(runs)) > MOST_LINES:
        raise ValueError("too many lines along the edges")
    return runs


def _read(data: bytes, size: int) -> Iterator[Run]:
    for at in range(0, len(data), size):
        side, count = divmod(data[at], 1 << _COUNT_BITS)
        yield Run(side=side, count=count, colour=data[at + 1 : at + size])
