"""What a report comes to, in one sentence."""

from __future__ import annotations

from batchcomp.report.text import count_of, human
from batchcomp.report.totals import Totals


def sentence(total: Totals) -> str:
    """Return the sentence: "1,204 pictures, 5.3 GB -> 0.9 GB; ..."."""
    if not total.pictures:
        return "no pictures"
    parts = [f"{count_of(total.pictures, 'picture')}, {human(total.source_bytes)} -> {human(total.archived_bytes)}"]
    if total.jpeg_bytes:
        some = f" where {total.jpeg_known:,} of them take {human(total.jpeg_rival_bytes)}"
        whose = "" if total.jpeg_known == total.pictures else some
        parts.append(f"plain JPEG of the same quality would take {human(total.jpeg_bytes)}{whose}")
    if total.measured:
        parts.append(_wins(total))
    return "; ".join(parts)


def _wins(total: Totals) -> str:
    lost = total.measured - total.won
    if total.pictures == 1:
        return f"{'not ' if lost else ''}better than JPEG at the same bytes"
    them = "" if total.measured == total.pictures else f" of the {total.measured:,} measured"
    if not lost:
        return f"all{them} better than JPEG at the same bytes"
    if not total.won:
        return f"none{them} better than JPEG at the same bytes"
    return f"all{them} but {lost:,} better than JPEG at the same bytes"
