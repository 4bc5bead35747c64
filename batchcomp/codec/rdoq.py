"""Rate-distortion optimised quantisation (RDOQ): round DCT coefficients with an eye on what each costs.

Plain rounding keeps every coefficient of half a step or more. One that stands alone among zeros costs many bits, and
just above half a step it mends almost nothing: it becomes zero. Video encoders do the same (Karczewicz, Ye and Chong
2008, "Rate distortion optimized quantization", VCEG-AH21). Theirs weighs squared errors; pixels of ours pass through
RecCNN first, so that the thresholds are measured on photos instead (docs/models.md).

Blocks are (N, 64) in zigzag order throughout, AC from index 1 on, in quantisation steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Blocks = NDArray[np.int16]
Scaled = NDArray[np.float32]
Indices = NDArray[np.intp]

_BITS: Final = np.frexp(np.arange(2.0**15 + 1))[1]
SIZES: Final = 12  # bits of the largest magnitude of an 8-bit JPEG, and zero
ROUNDS: Final = 4


@dataclass(frozen=True, kw_only=True)
class Rounding:
    """How far above half a step a coefficient of size one becomes zero.

    Each bit saved beyond `dear_from` adds `per_bit` steps to the threshold, `most` at most. The only coefficient of a
    block counts as `alone` bits dearer, for then the block needs none at all.
    """

    dear_from: float = 3.5
    per_bit: float = 0.07
    most: float = 0.35
    alone: float = 1.0


USUAL: Final = Rounding()


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """The AC coefficients that are not zero, in the order of coding."""

    block: Indices
    position: Indices
    before: Indices  # position of the one before in its block, 0 where it is the first
    after: Indices  # position of the one after, 64 where it is the last
    size: Indices  # bits of its magnitude
    size_after: Indices

    @classmethod
    def of(cls, blocks: Blocks) -> Tokens:
        """Find them in blocks."""
        at = places(blocks)
        return cls.linked(at, sizes(blocks.reshape(-1)[at]))

    @classmethod
    def linked(cls, places: Indices, size: Indices, of: Indices | slice = slice(None)) -> Tokens:
        """Tokens at `places` that know their neighbours: all, or those with the indices `of`."""
        at = np.arange(len(places))[of]
        before, following = np.maximum(at - 1, 0), np.minimum(at + 1, len(places) - 1)
        here, previous, then = places[at], places[before], places[following]
        block = here >> 6
        begins = (at == 0) | (previous >> 6 != block)
        ends = (at == len(places) - 1) | (then >> 6 != block)
        return cls(
            block=block,
            position=here & 63,
            before=np.where(begins, 0, previous & 63),
            after=np.where(ends, 64, then & 63),
            size=size[at],
            size_after=np.where(ends, 0, size[following]),
        )


def places(blocks: NDArray[np.int16]) -> Indices:
    """Where AC coefficients (N, 64) are not zero: 64 times the block and the position in it."""
    there = blocks != 0
    there[:, 0] = False
    return np.flatnonzero(there)


def sizes(values: NDArray[np.int16]) -> Indices:
    """Bits of magnitudes: 0 for 0, 1 for 1, 2 for 2 and 3, and so on."""
    bits: Indices = _BITS[np.abs(values)]
    return bits


def quantise(scaled: Scaled, rounding: Rounding = USUAL) -> Blocks:
    """Round the coefficients (N, 64) of one plane to int16. DC always goes to the nearest."""
    blocks = np.rint(scaled).astype(np.int16, order="C")  # one piece, of which `flat` is a view
    flat, at = blocks.reshape(-1), places(blocks)
    size = sizes(flat[at])
    bits = bits_table(Tokens.linked(at, size), len(blocks))
    magnitude = np.abs(scaled.reshape(-1)[at])
    small = (size == 1) & (magnitude < 0.5 + rounding.most)
    for number in range(ROUNDS):
        odd = (number + 1) % 2  # what a drop saves holds as long as both neighbours stay
        tried = 2 * np.flatnonzero(small[odd::2]) + odd
        dropped = tried[magnitude[tried] < 0.5 + _margin(Tokens.linked(at, size, tried), bits, rounding)]
        flat[at[dropped]] = 0
        keep = np.ones(len(at), np.bool_)
        keep[dropped] = False
        at, size, magnitude, small = at[keep], size[keep], magnitude[keep], small[keep]
    return blocks


def bits_table(tokens: Tokens, count: int) -> NDArray[np.float64]:
    """Bits (64, 12) of a coefficient by the zeros before it and its size, in a plane of `count` blocks.

    The entropy of the plane itself, which optimised Huffman codes come close to, and the magnitude's own bits.
    """
    found = np.bincount((tokens.position - tokens.before - 1) * SIZES + tokens.size, minlength=64 * SIZES)
    counts = found.reshape(64, SIZES) + 0.05
    counts[1:-1] = counts[:-2] / 4 + counts[1:-1] / 2 + counts[2:] / 4  # long runs are seldom seen
    bits: NDArray[np.float64] = np.arange(SIZES) - np.log2(counts / (counts.sum() + count))
    return bits


def _margin(tokens: Tokens, bits: NDArray[np.float64], rounding: Rounding) -> NDArray[np.float64]:
    """How far above half a step each of the tokens, all of size one, becomes zero."""
    run, run_after = tokens.position - tokens.before - 1, np.minimum(tokens.after - tokens.position - 1, 63)
    joined = np.minimum(tokens.after - tokens.before - 1, 63)
    last = tokens.after == 64
    follower = np.where(last, 0, bits[run_after, tokens.size_after] - bits[joined, tokens.size_after])
    saved = bits[run, tokens.size] + follower + rounding.alone * (last & (tokens.before == 0))
    margin: NDArray[np.float64] = np.clip((saved - rounding.dear_from) * rounding.per_bit, 0, rounding.most)
    return margin
