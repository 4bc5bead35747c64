"""Odds that follow the picture."""

from __future__ import annotations

import numpy as np
import pytest

from batchcomp.codec.pack.adaptive import BUCKETS, LOGARITHMS, AdaptiveMaps, logarithm
from batchcomp.codec.pack.model import LOGIT, Packer, shipped

K = 9


@pytest.fixture(scope="module")
def packer() -> Packer:
    return shipped()


def bits_spent(packer: Packer, logit: int, likelihood: float, *, rounds: int = 40, adaptive: bool = True) -> float:
    """Mean bits of decisions that are 1 so often while a network says `logit`, 50 at a time."""
    rng, maps, spent = np.random.default_rng(1), AdaptiveMaps(2), 0.0
    for _ in range(rounds):
        logits, bits = np.full(50, logit), rng.random(50) < likelihood
        corrected, buckets = maps.corrected(1, K, logits)
        odds = packer.probability(corrected if adaptive else logits)
        spent -= float(np.log2(np.where(bits, odds, 1 - odds)).sum())
        maps.learn(1, K, buckets, packer.probability(logits), bits)
    return spent / (50 * rounds)


def test_wrong_odds_are_corrected(packer: Packer) -> None:
    """A network that says even where four of five are 1 costs little more than one that knows."""
    known = -0.8 * np.log2(0.8) - 0.2 * np.log2(0.2)
    assert bits_spent(packer, 0, 0.8, adaptive=False) == pytest.approx(1)
    assert bits_spent(packer, 0, 0.8) < known + 0.1


@pytest.mark.parametrize("logit", [-3 * LOGIT, 0, 2 * LOGIT])
def test_right_odds_stay(packer: Packer, logit: int) -> None:
    likelihood = float(packer.probability(np.array([logit]))[0])
    plain = bits_spent(packer, logit, likelihood, adaptive=False)
    assert bits_spent(packer, logit, likelihood) == pytest.approx(plain, rel=0.01)


def test_kinds_and_odds_learn_apart(packer: Packer) -> None:
    """What one kind and bucket saw moves no other kind, and no other bucket of its own."""
    maps, logits = AdaptiveMaps(2), np.zeros(1000, np.int64)
    _, buckets = maps.corrected(0, K, logits)
    maps.learn(0, K, buckets, packer.probability(logits), np.ones(1000, bool))
    assert (maps.corrected(0, K, logits)[0] > 0).all()
    assert (maps.corrected(1, K, logits)[0] == 0).all()
    other = np.full(3, 4 * LOGIT)
    assert (maps.corrected(0, K, other)[0] == other).all()
    assert int(buckets[0]) < BUCKETS


def test_other_frequencies_follow_by_half(packer: Packer) -> None:
    """Where only the map of all k knows something, a correction is half as large."""
    maps, logits = AdaptiveMaps(1), np.zeros(4000, np.int64)
    _, buckets = maps.corrected(0, K, logits)
    maps.learn(0, K, buckets, packer.probability(logits), np.ones(4000, bool))
    own, other = (int(maps.corrected(0, k, logits[:1])[0][0]) for k in (K, 60))
    assert own == LOGIT
    assert other == LOGIT // 2


def test_the_logarithm_is_the_same_everywhere() -> None:
    """No entry of its table is near enough to a tie for another machine's last digit to matter."""
    x = np.array([1 / 3, 1.0, 20.0, 21.5, 65536.25, 1e9])
    assert logarithm(x) / 2**15 == pytest.approx(np.log(x), abs=1e-3)
    exact = np.log(0.5 + (np.arange(len(LOGARITHMS)) + 0.5) / (2 * len(LOGARITHMS))) * 2**15
    assert np.abs(np.abs(exact - np.floor(exact)) - 0.5).min() > 1e-9
