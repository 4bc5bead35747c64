"""What people look for in the gallery, as a question to the archive's index."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from batchcomp.index.conditions import CURRENT, Condition, begins_with, matching

ORDERS: Final = {  # how pictures may be arranged -> SQL of the index
    "name": "p.path",
    "newest": "p.mtime_s DESC, p.path",
    "oldest": "p.mtime_s, p.path",
    "largest": "p.width * p.height DESC, p.path",
}
MOST_TEXT: Final = 200  # characters that can be searched for


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is looked for: pictures below a folder, whose path holds all words, that changed within a span of time.

    Attributes:
        folder: "" for all.
        text: words in any order and case; "" for all.
        since: seconds since 1970 UTC, None for any.
        before: likewise, not included.
        order: one of `ORDERS`.
    """

    folder: str = ""
    text: str = ""
    since: int | None = None
    before: int | None = None
    order: str = "name"

    @property
    def condition(self) -> Condition:
        """What the index is asked for."""
        found = CURRENT
        if self.folder:
            found &= begins_with(f"{self.folder}/")
        if self.since is not None:
            found &= Condition(sql="p.mtime_s >= ?", values=(self.since,))
        if self.before is not None:
            found &= Condition(sql="p.mtime_s < ?", values=(self.before,))
        if words := folded(self.text).split():
            found &= matching(lambda path: _holds(path, words))
        return found


def folded(text: str) -> str:
    """Return a text as it is compared in a search."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _holds(path: str, words: list[str]) -> bool:
    compared = folded(path)
    return all(word in compared for word in words)
