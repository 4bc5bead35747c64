"""Globs of --include and --exclude.

A pattern without a slash matches the last part of a name, at any depth: `*.png`, `raw`. A pattern with a slash matches
the whole name as the archive would hold it: `2024/*.jpg`. `*` and `?` stay inside one part, `**` crosses slashes,
`[abc]` and `[!abc]` match one character. A slash at either end only forces the second form: `/raw` is `raw` at the
top. Case counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_TOKENS = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]/]*\]|.", re.DOTALL)
_FIXED = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}

Matcher = Callable[[str], bool]


def compile_patterns(patterns: Sequence[str]) -> Matcher:
    """Return a function that tells whether a relative posix name matches any of `patterns`."""
    if not patterns:
        return lambda _name: False
    whole = re.compile("|".join(_translate(pattern) for pattern in patterns), re.DOTALL)
    return lambda name: whole.fullmatch(name) is not None


def _translate(pattern: str) -> str:
    """Return the regular expression for one glob, to be matched against the whole name."""
    body = "".join(_token(token) for token in _TOKENS.findall(pattern.strip("/")))
    return f"(?:{body})" if "/" in pattern else f"(?:.*/)?(?:{body})"


def _token(token: str) -> str:
    if token in _FIXED:
        return _FIXED[token]
    if len(token) == 1:
        return re.escape(token)
    negated = token.startswith("[!")
    members = re.escape(token[2 if negated else 1 : -1]).replace(r"\-", "-")
    return f"[^/{members}]" if negated else f"[{members}]"
