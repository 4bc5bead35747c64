"""Which pictures a sample takes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

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

    It takes a payload in the same way whatever row asks for it, and in whatever process, so that every check of a run
    looks at the same ones.
    """
    return _Sample(limit=int(share * 2**32), salt=secrets.token_hex(8))


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """Takes rows whose payload has a hash below a limit of 32 bits."""

    limit: int
    salt: str

    def __call__(self, row: Row) -> bool:
        return int(sha256(f"{self.salt}{row.payload_sha256}".encode()).hexdigest()[:8], 16) < self.limit
