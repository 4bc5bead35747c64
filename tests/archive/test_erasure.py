"""The code's arithmetic against its definition, term by term."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchcomp.archive.erasure import POLYNOMIAL, Symbols, multiply, parity_of, solve, span_of
from batchcomp.archive.parity_header import MOST


def product(a: int, b: int) -> int:
    """Multiply polynomials over GF(2), reduced, bit by bit."""
    total = 0
    while b:
        total ^= a if b & 1 else 0
        a <<= 1
        a ^= POLYNOMIAL if a >> 16 else 0
        b >>= 1
    return total


def inverse(a: int) -> int:
    """Raise to the power of 2^16 - 2."""
    total, power = 1, 65_534
    while power:
        total = product(total, a) if power & 1 else total
        a, power = product(a, a), power >> 1
    return total


def slow_parity(data: Symbols, parity: int) -> list[list[int]]:
    """Compute parity as the documentation defines it."""
    span = span_of(parity)
    scale = 1
    for q in range(1, span):
        scale = product(scale, q)
    answer = [[0] * data.shape[1] for _ in range(parity)]
    for y, symbols in enumerate(data.tolist(), span):
        vanishing = 1
        for q in range(span):
            vanishing = product(vanishing, y ^ q)
        for p in range(parity):
            factor = product(vanishing, inverse(product(scale, y ^ p)))
            for place, symbol in enumerate(symbols):
                answer[p][place] ^= product(factor, symbol)
    return answer


def random_symbols(seed: int, height: int, width: int) -> Symbols:
    return np.random.default_rng(seed).integers(0, 65_536, (height, width)).astype(np.uint16)


@given(a=st.integers(0, 65_535), b=st.integers(0, 65_535))
def test_products_are_those_of_the_field(a: int, b: int) -> None:
    """Tables of logarithms give what shifting and adding gives."""
    assert int(multiply(np.array([a]), np.array([b]))[0]) == product(a, b)


@pytest.mark.parametrize(("data", "parity"), [(1, 1), (1, 5), (5, 2), (7, 3), (20, 5), (33, 8), (40, 17)])
def test_parity_is_what_the_definition_says(data: int, parity: int) -> None:
    """The fast transform gives the sums, for numbers that are powers of two and those that are not."""
    symbols = random_symbols(data, data, 2)
    assert parity_of(symbols, parity).tolist() == slow_parity(symbols, parity)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_any_rows_give_back_as_many_lost_symbols(data: st.DataObject, seed: int) -> None:
    """Whatever is lost, any choice of as many parity symbols is enough."""
    height, parity = data.draw(st.integers(1, 90)), data.draw(st.integers(1, 40))
    symbols = random_symbols(seed, height, 3)
    lost = data.draw(st.lists(st.integers(0, height - 1), unique=True, max_size=parity))
    rows = data.draw(st.permutations(range(parity)))[: len(lost)]
    check(symbols, parity, np.array(lost, int), np.array(rows, int))


def check(symbols: Symbols, parity: int, lost: Symbols, rows: Symbols) -> None:
    left = symbols.copy()
    left[lost] = 0
    difference = (parity_of(symbols, parity) ^ parity_of(left, parity))[rows]
    assert (solve(difference, rows, lost, parity) == symbols[lost]).all()


def test_the_largest_code_word() -> None:
    """All points of the field are in use."""
    symbols = random_symbols(1, MOST, 1)
    check(symbols, MOST, np.array([0, 17, MOST - 1]), np.array([0, MOST - 1, 5]))
