"""Which pictures a sample takes."""

from __future__ import annotations

from collections.abc import Callable
from random import SystemRandom

from batchcomp.archive import Row
from batchcomp.errors import UsageError

Choose = Callable[[Row], bool]


def percentage(text: str) -> float:
    """Return the share of 1 that "5%" or "5" means.

    Raises:
        UsageError: it is no percentage above 0 and up to 100.
    """
    try:
        share = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise UsageError(f"sample {text!r}: expected a percentage above 0, up to 100%")
    return share


def sampler(share: float) -> Choose:
    """Return a function that takes each picture with this probability, another sample in each run.

    It takes a payload in the same way whatever row asks for it, so that every check of a run looks at the same ones.
    """
    if share >= 1:
        return lambda _row: True
    salt = SystemRandom().getrandbits(64)
    limit = int(share * 2**32)
    return lambda row: hash((salt, row.payload_sha256)) & 0xFFFFFFFF < limit
