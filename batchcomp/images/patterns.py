"""Globs of --include and --exclude.

A pattern without a slash matches the last part of a name, at any depth: `*.png`, `raw`. A pattern with a slash matches
the whole name as the archive would hold it: `2024/*.jpg`. `*` and `?` stay inside one part, `**` crosses slashes,
`[abc]` and `[!abc]` match one character. A slash at either end only forces the second form: `/raw` is `raw` at the
top. Case counts. A pattern also means what it says letter by letter, and with its brackets as they are, so that a
folder called `[2023] trip` needs no quoting. A name is tried as the archive holds it and as the disk does (`escapes`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from batchcomp.escapes import real_path

_TOKENS = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]/]*\]|.", re.DOTALL)
_FIXED = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}

Matcher = Callable[[str], bool]


def compile_patterns(patterns: Sequence[str]) -> Matcher:
    """Return a function that tells whether a relative posix name matches any of `patterns`."""
    if not patterns:
        return lambda _name: False
    whole = re.compile("|".join(_translate(pattern) for pattern in patterns), re.DOTALL)

    def matches(name: str) -> bool:
        return bool(whole.fullmatch(name) or ("%" in name and whole.fullmatch(real_path(name))))

    return matches


def _translate(pattern: str) -> str:
    """Return the regular expression for one glob, to be matched against the whole name."""
    text = pattern.strip("/")
    tokens = _TOKENS.findall(text)
    with_brackets = "".join(re.escape(token) if token[0] == "[" else _token(token) for token in tokens)
    body = "|".join(dict.fromkeys([re.escape(text), with_brackets, "".join(map(_token, tokens))]))
    return f"(?:{body})" if "/" in pattern else f"(?:.*/)?(?:{body})"


def _token(token: str) -> str:
    if token in _FIXED:
        return _FIXED[token]
    if len(token) == 1:
        return re.escape(token)
    negated = token.startswith("[!")
    members = re.escape(token[2 if negated else 1 : -1]).replace(r"\-", "-")
    return f"[^/{members}]" if negated else f"[{members}]"
