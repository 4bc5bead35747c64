"""Whether a store keeps conditions: only then may several processes write to one archive."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from batchcomp.archive.store.base import StoreError

if TYPE_CHECKING:
    from batchcomp.archive.store.bucket import Bucket

VARIABLE: Final = "BATCHCOMP_ONE_WRITER"
NAME: Final = ".conditional"


def one_writer() -> bool:
    """Tell whether the user vouches that nobody else writes: conditions are left out then."""
    return os.environ.get(VARIABLE, "") not in {"", "0"}


def check_conditional(bucket: Bucket) -> None:
    """Put one small object on the condition that it is new: unless it is the first time, that must fail.

    Raises:
        StoreError: it did not, or the store refuses.
    """
    from batchcomp.archive.store.bucket import UnsupportedError  # noqa: PLC0415

    if one_writer():
        return
    try:
        bucket.put(NAME, b"1", new=True)
        bucket.put(NAME, b"2", new=True)
    except FileExistsError:
        return
    except UnsupportedError:
        pass
    raise StoreError(
        "the store takes no conditional puts, so that two runs at once would overwrite each other",
        f"see to it that only one run at a time writes, and set {VARIABLE}=1; or use another store (docs/remote.md)",
    )
