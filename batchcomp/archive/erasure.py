"""A Reed-Solomon code over GF(2^16) for lost blocks: pure arithmetic on arrays. docs/format.md specifies the code.

Parity symbol p of data symbols d_y is the sum over y of A(y) / (a (y + p)) d_y. Parity stands at the points 0, 1, ...,
data at the points `span`, span + 1, ...; A(x) is the product of x + q over q below `span`, a that of 1 ... span - 1.
Both are 32,768 at most, since all points have to fit into 2^16. Any lost data can be had back from as much parity (a
Cauchy matrix is regular). The sums are not made term by term, which takes blocks times parity, but with the additive
FFT of S.-J. Lin, W.-H. Chung and Y. S. Han, "Novel polynomial basis and its application to Reed-Solomon erasure codes",
FOCS 2014, arXiv:1404.3458; Leopard-RS is built on it too.
No library fits: zfec is under the GPL, pyeclib for Linux only, reedsolo some 1000 times slower, all of 255 symbols.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

POLYNOMIAL: Final = 0x1100B  # x^16 + x^12 + x^3 + x + 1, of which x is a generator
_ORDER: Final = 65_535
_ZERO: Final = 2 * _ORDER  # the "logarithm" of zero: any sum with it has the exponential 0

Symbols = NDArray[np.uint16]  # (symbols of a code word, independent code words)
Indices = NDArray[Any]


class _Tables(NamedTuple):
    log: NDArray[np.int32]
    exp: Symbols


@cache
def _tables() -> _Tables:
    log = np.full(_ORDER + 1, _ZERO, np.int32)
    exp = np.zeros(2 * _ZERO + 1, np.uint16)
    value = 1
    for power in range(_ORDER):
        exp[power] = exp[power + _ORDER] = value
        log[value] = power
        value <<= 1
        value ^= POLYNOMIAL if value >> 16 else 0
    exp[_ZERO:] = 0
    return _Tables(log, exp)


def multiply(a: Indices, b: Indices) -> Symbols:
    """Return the products in the field, elementwise."""
    log, exp = _tables()
    return exp.take(log.take(a) + log.take(b))


def span_of(parity: int) -> int:
    """Return the number of points that are set apart for parity: the next power of two."""
    return 1 << max(0, parity - 1).bit_length()


def parity_of(data: Symbols, parity: int) -> Symbols:
    """Return parity symbols (parity, w) of data symbols (1 to 32,768, w), each column a code word of its own."""
    span = span_of(parity)
    total = np.zeros((span, data.shape[1]), np.uint16)
    for start in range(0, len(data), span):
        part = data[start : start + span]
        chunk = np.zeros_like(total)
        chunk[: len(part)] = part
        _transform(chunk, span + start, inverse=True)
        total ^= chunk
    _transform(total, 0, inverse=False)
    return total[:parity]


def solve(difference: Symbols, rows: Indices, lost: Indices, parity: int) -> Symbols:
    """Return the data symbols at the places `lost` (e,), which counted as zero when parity was computed.

    Args:
        difference: (e, w), stored parity + computed parity, of the rows `rows` (e,) out of `parity`.
        rows: as many different rows as there are lost places.
        lost: different places of data symbols, counted from 0.
        parity: the number that `parity_of` was given.
    """
    log, exp = _tables()
    span = span_of(parity)
    points, places = rows.astype(np.int64), lost.astype(np.int64) + span
    # the inverse of a Cauchy matrix, e.g. D. Knuth, The Art of Computer Programming, volume 1, 1.2.3, exercise 41
    scale_rows = _log_products(points, places) - _log_products(points, points)
    scale_lost = _log_products(places, points) - _log_products(places, places)
    scale_lost += _log_products(np.zeros(1, np.int64), np.arange(1, span)) - _log_products(places, np.arange(span))
    logs = log.take(difference)
    answer = np.empty_like(difference)
    for index, place in enumerate(places):
        factors = (scale_rows + scale_lost[index] - log.take(points ^ place)) % _ORDER
        answer[index] = np.bitwise_xor.reduce(exp.take(logs + factors[:, None].astype(np.int32)), axis=0)
    return answer


def _log_products(points: Indices, others: Indices) -> NDArray[np.int64]:
    """Return for each point the logarithm of the product of its differences to the others, itself left out."""
    log = _tables().log
    sums = (np.where(others == point, 0, log.take(others ^ point)).sum(dtype=np.int64) for point in points)
    return np.fromiter(sums, np.int64, len(points)) % _ORDER


def _transform(values: Symbols, offset: int, *, inverse: bool) -> None:
    """Go, in place, from a polynomial's coefficients to its values at the points from `offset` on, or back."""
    levels = range(len(values).bit_length() - 1)
    for level in levels if inverse else reversed(levels):
        half = 1 << level
        pairs = values.reshape(-1, 2, half, values.shape[1])
        low, high = pairs[:, 0], pairs[:, 1]
        skews = _skews(level)[(offset + np.arange(len(pairs)) * 2 * half) >> (level + 1)]
        if inverse:
            high ^= low
            low ^= _scaled(high, skews)
        else:
            low ^= _scaled(high, skews)
            high ^= low


def _scaled(values: Symbols, logs: NDArray[np.int32]) -> Symbols:
    """Return values (groups, h, w) times the factor of their group, which is given by its logarithm."""
    log, exp = _tables()
    return exp.take(log.take(values) + logs[:, None, None])


@cache
def _skews(level: int) -> NDArray[np.int32]:
    """Return log s(x) / s(2^level) at x = 0, 2 h, 4 h, ..., h = 2^level; s(x) is the product of x + a over a < h."""
    log, exp = _tables()
    values = np.arange(0, _ORDER + 1, 2 << level).astype(np.uint16)
    for below in range(level):
        values = multiply(values, values) ^ multiply(values, _end(below))
    inverse = exp.take((_ORDER - log.take(_end(level))) % _ORDER)
    return log.take(multiply(values, inverse))


@cache
def _end(level: int) -> Symbols:
    """Return s(2^level), s being the product of x + a over a below 2^level."""
    value = np.array([1 << level], np.uint16)
    for below in range(level):
        value = multiply(value, value) ^ multiply(value, _end(below))
    return value
