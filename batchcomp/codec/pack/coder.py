"""Coefficients to bits and back: one walk over contexts, networks and binary decisions serves both directions."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import partial
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from batchcomp.codec.pack.adaptive import AdaptiveMaps, Bits, Odds, Values
from batchcomp.codec.pack.context import ENDS, AcContext, DcContext, diagonals
from batchcomp.codec.pack.model import DC_BITS, DC_LOGITS, END, PLANES, UNARY, Packer, PackerNet
from batchcomp.codec.pack.plane import Plane, last_nonzero
from batchcomp.errors import PayloadError, UsageError

ESCAPE_BITS = 16  # most bits of an escape code; coefficients have at most 11
# kinds of decisions: zero, sign, a size or its bits in unary, a block's end, an escape's bits in unary, lower bits
ZERO, SIGN, MORE = 0, 1, 2
ENDED = MORE + max(UNARY, DC_BITS)
ESCAPE = ENDED + 1
MANTISSA = ESCAPE + ESCAPE_BITS
ADAPTIVE_LEVELS = 2  # of bits below the highest; those below are even
KINDS = MANTISSA + ADAPTIVE_LEVELS


class Coder(Protocol):
    """Binary decisions, each with its probability of being 1."""

    def code(self, odds: Odds, bits: Bits | None) -> Bits:
        """Write `bits`, or read and return them."""


def _library() -> ModuleType:
    try:
        return importlib.import_module("constriction")  # most archives need none, and some platforms have none
    except ImportError as error:
        raise UsageError(
            "packing needs constriction: run pip install constriction (where it has no wheel a Rust compiler is needed)"
        ) from error


class RangeWriter:
    """Collects decisions into a byte string with a range coder."""

    def __init__(self) -> None:
        library = _library()
        self._coder = library.stream.queue.RangeEncoder()
        self._model = library.stream.model.Bernoulli(perfect=False)

    def code(self, odds: Odds, bits: Bits | None) -> Bits:
        """Write `bits`."""
        if bits is None:
            raise TypeError("a writer needs bits")
        self._coder.encode(bits.astype(np.int32), self._model, odds)
        return bits

    def finish(self) -> bytes:
        """The bytes; zeros at the end are left out, and read again as zeros."""
        data: bytes = self._coder.get_compressed().astype(">u4").tobytes()
        return data.rstrip(b"\0")


class RangeReader:
    """Gives back the decisions that a `RangeWriter` took."""

    def __init__(self, data: bytes) -> None:
        library = _library()
        words = np.frombuffer(data + bytes(-len(data) % 4), ">u4").astype(np.uint32)
        self._coder = library.stream.queue.RangeDecoder(words)
        self._model = library.stream.model.Bernoulli(perfect=False)

    def code(self, odds: Odds, bits: Bits | None = None) -> Bits:
        """Read as many decisions as there are odds.

        Raises:
            PayloadError: the data are no writer's.
        """
        del bits
        try:
            answer: Bits = self._coder.decode(self._model, odds) != 0
        except AssertionError as error:
            raise PayloadError("the packed picture is damaged; use an intact copy") from error
        return answer


class Walk:
    """Codes the planes of one picture with one packer; `blocks` are the coefficients, or None to read them."""

    def __init__(self, coder: Coder, packer: Packer, quality: int) -> None:
        self.coder, self.packer, self.quality = coder, packer, quality
        self._adaptive = {(kind, plane): AdaptiveMaps(KINDS) for kind in ("dc", "ac") for plane in range(PLANES)}
        self._maps, self._k = self._adaptive["dc", 0], 0  # of what is coded now

    def planes(
        self, shape: tuple[int, int, int], tables: NDArray[np.int64], blocks: NDArray[np.int16] | None = None
    ) -> NDArray[np.int16]:
        """Code (planes, rows, columns, 8, 8) with tables (2, 8, 8); return the coefficients."""
        done: list[Plane] = []
        for number in range(shape[0]):
            plane = Plane(shape[1], shape[2], tables[min(number, 1)])
            truth = None if blocks is None else plane.flatten(blocks[number])
            self._dc(plane, done, self.packer.dc[number], truth)
            self._ac(plane, done, self.packer.ac[number], truth)
            done.append(plane)
        return np.stack([plane.blocks() for plane in done])

    def _dc(self, plane: Plane, before: Sequence[Plane], net: PackerNet, truth: Values | None) -> None:
        context = DcContext(plane, before, self.quality)
        self._maps, self._k = self._adaptive["dc", len(before)], 0
        for y, x in diagonals(plane.rows, plane.columns):
            features, base, terms = context.at(y, x)
            logits = net.logits(0, features)
            expected = base + ((np.clip(logits[DC_LOGITS:], -256, 256) * terms).sum(axis=0) + 64 >> 7)
            where = plane.flat(y, x)
            residual = None if truth is None else truth[0, where] - expected
            plane.put_dc(y, x, expected + self._residuals(logits, residual))
        plane.finish_dc()

    def _ac(self, plane: Plane, before: Sequence[Plane], net: PackerNet, truth: Values | None) -> None:
        context = AcContext(plane, before, self.quality)
        lasts = None if truth is None else last_nonzero(truth)
        self._maps = self._adaptive["ac", len(before)]
        for k in range(1, 64):
            if not any(map(len, plane.open)):
                return
            context.begin(k)
            self._k = k
            for colour in (0, 1):
                if colour:
                    context.turn()
                if len(plane.open[colour]):
                    logits = net.logits(k, context.at(colour, plane.open[colour]))
                    logits = self._ends(plane, k, colour, logits, lasts) if k in ENDS else logits
                    where = plane.open[colour]
                    plane.put(k, where, self._sizes(logits, None if truth is None else truth[k, where]))

    def _ends(self, plane: Plane, k: int, colour: int, logits: Values, lasts: Values | None) -> Values:
        """Code which blocks of a colour hold nothing from k on; return the logits of the others."""
        ended = self._bit(ENDED, logits[END], None if lasts is None else lasts[plane.open[colour]] < k)
        plane.end(colour, ended)
        return logits[:, ~ended]

    def _bit(self, kind: int, logits: Values, bits: Bits | None) -> Bits:
        corrected, buckets = self._maps.corrected(kind, self._k, logits)
        answer = self.coder.code(self.packer.probability(corrected), bits)
        self._maps.learn(kind, self._k, buckets, self.packer.probability(logits), answer)
        return answer

    def _even(self, logits: Values, bits: Bits | None) -> Bits:
        return self.coder.code(self.packer.probability(logits), bits)

    def _signs(self, logits: Values, truth: Values | None) -> tuple[NDArray[np.intp], Values]:
        """Which values are not zero, and the signs of these."""
        (where,) = np.nonzero(self._bit(ZERO, logits[0], None if truth is None else truth != 0))
        negative = None if truth is None else truth[where] < 0
        return where, np.where(self._bit(SIGN, logits[1, where], negative), -1, 1)

    def _sizes(self, logits: Values, truth: Values | None) -> Values:
        """AC coefficients: zero, sign, unary size up to `UNARY`, then an Exp-Golomb code."""
        answer = np.zeros(logits.shape[1], np.int64)
        left, signs = self._signs(logits, truth)
        answer[left] = 1
        positive = left
        for size in range(1, UNARY):
            if not len(left):
                break
            further = None if truth is None else np.abs(truth[left]) > size
            more = self._bit(MORE + size - 1, logits[1 + size, left], further)
            left = left[more]
            answer[left] = size + 1
        if len(left):
            answer[left] = UNARY + self._escape(logits[1 + UNARY, left], None if truth is None else np.abs(truth[left]))
        answer[positive] *= signs
        return answer

    def _escape(self, logits: Values, sizes: Values | None) -> Values:
        """What goes beyond `UNARY`: the number of bits of it plus one in unary, then these bits."""
        value = None if sizes is None else sizes - UNARY + 1
        bits = np.ones(len(logits), np.int64)
        left = np.arange(len(logits))
        for count in range(1, ESCAPE_BITS):
            further = None if value is None else value[left] >> count > 0
            more = self._bit(ESCAPE + count - 1, logits[left], further)
            left = left[more]
            bits[left] += 1
            if not len(left):
                break
        return self._mantissas(bits, value, {}) - 1

    def _residuals(self, logits: Values, truth: Values | None) -> Values:
        """DC residuals: zero, sign, number of bits in unary, then these bits."""
        answer = np.zeros(logits.shape[1], np.int64)
        where, signs = self._signs(logits, truth)
        if not len(where):
            return answer
        value = None if truth is None else np.abs(truth[where])
        bits, left = np.ones(len(where), np.int64), np.arange(len(where))
        for count in range(1, DC_BITS):
            further = None if value is None else value[left] >> count > 0
            more = self._bit(MORE + count - 1, logits[1 + count, where[left]], further)
            left = left[more]
            bits[left] += 1
            if not len(left):
                break
        second = logits[DC_BITS + 1 :, where]
        answer[where] = signs * self._mantissas(bits, value, {0: np.where(bits == 2, second[0], second[1])})
        return answer

    def _mantissas(self, bits: Values, value: Values | None, odds: dict[int, Values]) -> Values:
        """The bits below the highest of numbers of `bits` bits; at first even but where `odds` has logits."""
        answer = np.ones(len(bits), np.int64)
        for level in range(int(bits.max()) - 1):
            (where,) = np.nonzero(bits > level + 1)
            own = None if value is None else (value[where] >> (bits[where] - 2 - level)) & 1 > 0
            logits = odds[level][where] if level in odds else np.zeros(len(where), np.int64)
            code = partial(self._bit, MANTISSA + level) if level < ADAPTIVE_LEVELS else self._even
            answer[where] = answer[where] * 2 + code(logits, own)
        return answer
