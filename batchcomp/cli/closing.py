"""What `compress` says at its end of files that it left alone: a line for those that are no pictures, one for links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchcomp.cli import console
from batchcomp.report.text import count_of

if TYPE_CHECKING:
    from batchcomp.pipeline.records import Outcome

MOST_KINDS = 6  # that are named


def say_passed_over(outcome: Outcome) -> None:
    """Sum up what was passed over, and name the links; each file has a line in the log and in --json."""
    from batchcomp.images.names import shown
    from batchcomp.images.other_files import SPECIAL
    from batchcomp.pipeline.records import LINK

    kinds = outcome.passed_over.copy()
    links = kinds.pop(LINK, 0)
    if count := kinds.total():
        named = [f"{number:,} {kind}" for kind, number in kinds.most_common(MOST_KINDS)]
        named += [f"{len(kinds) - MOST_KINDS} more kinds"] * (len(kinds) > MOST_KINDS)
        what = "is no picture" if count == 1 else "are no pictures"
        them = "it as it is" if count == 1 else "them as they are"
        them = "files as they are" if kinds.keys() & SPECIAL else them
        advice = f"; --verbatim GLOB stores {them}" if kinds.keys() - SPECIAL else ""
        console.say(f"{count_of(count, 'file')} {what}: {', '.join(named)}{advice}")
    if links:
        names = ", ".join(map(shown, outcome.links)) + ", ..." * (links > len(outcome.links))
        was, they = ("was", "it points") if links == 1 else ("were", "they point")
        console.say(f"{count_of(links, 'link')} {was} not followed: {names}; --follow-symlinks takes what {they} to")
