"""`.batchcompignore`: what is not to be archived, in any folder, in the syntax of gitignore, as git reads it.

A rule holds for the folder it stands in and all below; deeper files count more than those above, later lines more than
earlier ones; `!` takes back; below a folder that is ignored nothing can be taken back, since nobody looks there. Only
folders from PATH down are asked, and files that are named themselves are taken whatever the rules say.

Files may come from strangers: their size and number of rules are bounded, and no pattern takes long (`_quick`).
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import Final

from batchcomp.escapes import real_path
from batchcomp.images.other_files import special_kind

IGNORE_NAME: Final = ".batchcompignore"
MAX_BYTES, MAX_RULES, MAX_LENGTH = 64 * 1024, 1000, 500
_MOST_DEPTHS: Final = 2  # `**` in a pattern; each multiplies its work by the depth of a path
_ONE = r"(?:\\.|\[\^?(?:\\.|[^\]\\])+\]|[^\\\[\](){}*+?|^$/.])"  # matches one character: escaped, a class, a letter
_FOLDERS_BELOW = re.compile(r"/\*\*/\s*$")  # which pathspec takes for the folder itself
_CLASS = re.compile(r"\[\^(?!/\])")  # of what is not in it
_STARS = re.compile(r"(\[\^/\]\*)(?:\[\^/\]\*)+")
_STAR = re.compile(rf"\[\^/\]\*((?:(?!\[\^/\]\*){_ONE})+)(?=\[\^/\]\*)")


class IgnoreFileError(Exception):
    """The rules of a folder cannot be followed; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: which names below its folder it is about, and whether it ignores them or takes them back."""

    names: re.Pattern[str]
    ignores: bool


def _whole(regex: str) -> str:
    """Return an expression for the whole of a name (folders end in a slash); pathspec's are for its beginning, or less.

    What lies below a folder that is ignored is not asked for. No class matches a slash, as in git.
    """
    regex = _CLASS.sub("[^/", regex)
    if regex == ".":
        return ".+"
    if regex in {"/", "(?P<ps_d>/)"}:
        return ".*/"
    return f"{regex}.+" if regex.endswith("/") else regex


def _quick(regex: str) -> str:
    """Return an expression that matches the same names without trying out all ways to share them among its stars.

    Before another star the first place that fits is as good as any (as in Python's fnmatch), so that it is kept.

    Raises:
        ValueError: it has too many `**`.
    """
    if regex.count(".+/") + regex.count("/.+") > _MOST_DEPTHS:
        raise ValueError(f"more than {_MOST_DEPTHS} `**`")
    return _STAR.sub(r"(?>[^/]*?\1)", _STARS.sub(r"\1", regex))


@dataclass(frozen=True, slots=True)
class Ignoring:
    """The rules that hold in a folder: its own last, each with the names' part in front that it does not see."""

    rules: tuple[tuple[int, tuple[Rule, ...]], ...] = ()

    def ignores(self, name: str, *, folder: bool) -> bool:
        """Whether something is ignored that lies in this folder, by its posix name below PATH (see `escapes`)."""
        path = real_path(name) + "/" * folder
        for start, rules in reversed(self.rules):
            below = path[start:]
            for rule in reversed(rules):
                if rule.names.fullmatch(below):
                    return rule.ignores
        return False

    def below(self, folder: str, prefix: str) -> Ignoring:
        """The rules in `folder`, whose files' names begin with `prefix`.

        Raises:
            IgnoreFileError: its own cannot be followed.
        """
        text = _read(os.path.join(folder, IGNORE_NAME))  # noqa: PTH118 - the walk has strings
        return self if text is None else Ignoring((*self.rules, (len(real_path(prefix)), _parsed(text))))


def _read(path: str) -> str | None:
    """Return the text of the file of rules, None where there is none; links are not followed, as git follows none."""
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise IgnoreFileError(f"cannot be read ({error.strerror}); check its permissions") from error
    if stat.S_ISLNK(status.st_mode):
        raise IgnoreFileError("is a symbolic link, which is not followed; put the file itself here")
    if not stat.S_ISREG(status.st_mode):
        raise IgnoreFileError(f"is a {special_kind(status.st_mode)}, not a file; write rules in a file, or rename it")
    if status.st_size > MAX_BYTES:
        raise IgnoreFileError(f"{status.st_size:,} bytes are too many, at most {MAX_BYTES:,} are read; shorten it")
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            return file.read(MAX_BYTES + 1).decode("utf-8", "surrogateescape")
    except OSError as error:
        raise IgnoreFileError(f"cannot be read ({error.strerror}); check its permissions") from error


def _parsed(text: str) -> tuple[Rule, ...]:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern  # noqa: PLC0415 - most folders have no rules

    lines = text.removeprefix("\ufeff").splitlines()
    if len(lines) > MAX_RULES:
        raise IgnoreFileError(f"{len(lines):,} lines are too many, at most {MAX_RULES:,} are read; shorten it")
    rules: list[Rule] = []
    for number, line in enumerate(lines, 1):
        try:
            _check(line)
            regex, ignores = GitIgnoreSpecPattern.pattern_to_regex(_FOLDERS_BELOW.sub("/**/*/", line))
            if regex is not None:  # neither empty nor a comment
                rules.append(Rule(re.compile(_quick(_whole(regex)), re.DOTALL), bool(ignores)))
        except (ValueError, re.error) as error:
            raise IgnoreFileError(f"line {number}: {error}; write it as gitignore has it") from error
    return tuple(rules)


def _check(line: str) -> None:
    if len(line) > MAX_LENGTH:
        raise ValueError(f"more than {MAX_LENGTH} characters")
    if re.search(r"\[[^\]]*(?:\[|--|&&|\|\||~~)", line):  # `[[:alpha:]]`; Python reserves the others
        raise ValueError("a class of characters that is not known here")
