"""Which segment a file is, whatever it is called: its manifest decides, else the recovery fields of its entries."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from batchcomp.archive.claims import Claim, claim_in
from batchcomp.archive.mapped import mapped
from batchcomp.archive.rezipped import whole_manifest
from batchcomp.archive.scan import find_entries


def origin_of(path: Path) -> int | None:
    """Return the number of the segment that a file is, None where nothing in it tells.

    A manifest's header counts if its checksum is right, recovery fields if their payloads are intact and all agree.
    """
    if claim := proved_claim(path):
        return claim.segment
    with suppress(OSError), mapped(path) as data:
        numbers = {one.recovery.segment for one in find_entries(data)[0] if one.sound}
        return numbers.pop() if len(numbers) == 1 else None
    return None


def proved_claim(path: Path) -> Claim | None:
    """Return what a manifest says of its segment, None unless its checksum is right."""
    manifest = whole_manifest(path)
    return claim_in(manifest) if manifest else None
