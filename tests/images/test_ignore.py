"""`.batchcompignore`, as git reads `.gitignore`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from batchcomp.escapes import real_path
from batchcomp.images.ignore import (
    _FOLDERS_BELOW,
    IGNORE_NAME,
    MAX_BYTES,
    MAX_RULES,
    IgnoreFileError,
    Ignoring,
    _parsed,
    _whole,
)
from batchcomp.images.walk import Item, WalkFailure, walk


def tree(root: Path, rules: dict[str, str], *files: str) -> Path:
    """Make files, and rules in folders: `""` is the root."""
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    for folder, text in rules.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / IGNORE_NAME).write_text(text)
    return root


def taken(*roots: Path) -> list[str]:
    return sorted(found.name for found in walk(roots) if isinstance(found, Item))


FILES = (
    "a.jpg", "b.tmp", "raw/a.nef", "raw/keep.nef", "out/x.jpg", "out/deep/y.jpg", "sub/out/z.jpg", "sub/a.jpg",
    "sub/b.tmp", "sub/deep/c.jpg", "sub/deep/d.tmp", "name with space.jpg", "#hash.jpg", "!bang.jpg",
)  # fmt: skip
RULES = [
    {"": "*.tmp\n"},
    {"": "# a comment\n\n*.tmp\n!b.tmp\n"},
    {"": "/out/\n"},
    {"": "out/\n"},
    {"": "out\n!out/x.jpg\n"},
    {"": "out/*\n!out/x.jpg\n"},
    {"": "raw/*\n!raw/keep.nef\n"},
    {"": "*.tmp\n", "sub": "!b.tmp\n"},
    {"sub": "deep/\n"},
    {"sub": "/a.jpg\n", "sub/deep": "*\n!d.tmp\n"},
    {"": "**/deep/*.jpg\n"},
    {"": "sub/**/c.jpg\n"},
    {"": "name with space.jpg\n\\#hash.jpg\n\\!bang.jpg\n"},
    {"": "*\n"},
    {"": "*\n!*/\n!*.nef\n"},
    {"": "[a-b].*\n?.jpg \n"},
    {"": "sub/**\n!sub/a.jpg\n"},
    {"": "**\n!raw/\n!raw/*\n"},
    {"": "*/\n!sub/\n"},
    {"": "raw/**/\n**/out\n"},
    {"": "s*b/*e*p/\n*e*.*g\n"},
]


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git here to compare with")
@pytest.mark.parametrize("rules", RULES, ids=range(len(RULES)))
def test_the_same_files_as_with_git(tmp_path: Path, rules: dict[str, str]) -> None:
    """What git does not ignore under the same rules is what the walk takes."""
    root = tree(tmp_path / "photos", rules, *FILES)
    for folder in rules:
        shutil.copy(root / folder / IGNORE_NAME, root / folder / ".gitignore")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", "init", "-q"], cwd=root, env=environment, check=True)
    command = ["git", "ls-files", "-z", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True, text=True)
    wanted = {name for name in done.stdout.split("\0") if name and not name.endswith((".gitignore", IGNORE_NAME))}
    shutil.rmtree(root / ".git")
    for folder in rules:
        (root / folder / ".gitignore").unlink()
    assert set(taken(root)) == wanted


def test_rules_hold_below_each_path(tmp_path: Path) -> None:
    """With several PATHs each has its own; a file that is named is taken, whatever is ignored."""
    one = tree(tmp_path / "one", {"": "/a.jpg\n"}, "a.jpg", "sub/a.jpg")
    two = tree(tmp_path / "two", {}, "a.jpg")
    assert taken(one, two) == ["one/sub/a.jpg", "two/a.jpg"]
    assert taken(one / "a.jpg") == ["a.jpg"]
    assert taken(one / "sub") == ["a.jpg"]  # rules above PATH are not asked


def test_odd_names_are_matched_as_the_disk_has_them(tmp_path: Path) -> None:
    """A pattern means the name of the file, not how the archive writes it."""
    root = tree(tmp_path, {"": "a\\\\b.jpg\n50%.jpg\n"}, "a\\b.jpg", "50%.jpg", "c%5Cd.jpg")
    assert [real_path(name) for name in taken(root)] == ["c%5Cd.jpg"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a\n!\n", "line 2: "),
        ("[z-a]\n", "line 1: bad character range"),
        ("x/**/y/**/z/**/a\n", "line 1: more than 2 `\\*\\*`"),
        ("[[:alpha:]]\n", "line 1: a class of characters"),
        ("x" * 600, "line 1: more than 500 characters"),
        ("a\n" * (MAX_RULES + 1), "lines are too many"),
        ("#" * (MAX_BYTES + 1), "bytes are too many"),
    ],
)
def test_rules_that_cannot_be_followed_are_told(tmp_path: Path, text: str, reason: str) -> None:
    """The file is named with line, reason and next step; everything in its folder is taken rather than lost."""
    root = tree(tmp_path, {"sub": text}, "a.jpg", "sub/b.jpg")
    found = list(walk([root]))
    assert sorted(one.name for one in found if isinstance(one, Item)) == ["a.jpg", "sub/b.jpg"]
    (failure,) = (one for one in found if isinstance(one, WalkFailure))
    assert failure.path == root / "sub" / IGNORE_NAME
    with pytest.raises(IgnoreFileError, match=reason):
        Ignoring().below(str(root / "sub"), "sub/")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_rules_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """Permissions are named as what to look at."""
    tree(tmp_path, {"": "*\n"}, "a.jpg")
    (tmp_path / IGNORE_NAME).chmod(0)
    with pytest.raises(IgnoreFileError, match="check its permissions"):
        Ignoring().below(str(tmp_path), "")


@pytest.mark.skipif(os.name == "nt", reason="pipes and links")
def test_rules_that_are_no_file_are_a_failure(tmp_path: Path) -> None:
    """A pipe holds nothing up, a link is not followed, as by git, and nothing is archived without a word."""
    rules = tmp_path / IGNORE_NAME
    os.mkfifo(rules)
    with pytest.raises(IgnoreFileError, match="is a pipe, not a file"):
        Ignoring().below(str(tmp_path), "")
    rules.unlink()
    rules.mkdir()
    with pytest.raises(IgnoreFileError, match="is a folder, not a file"):
        Ignoring().below(str(tmp_path), "")
    rules.rmdir()
    (tmp_path / "real").write_text("*\n")
    for target in ("real", "nothing"):
        rules.symlink_to(tmp_path / target)
        with pytest.raises(IgnoreFileError, match="is a symbolic link, which is not followed"):
            Ignoring().below(str(tmp_path), "")
        rules.unlink()


PIECES = st.lists(st.sampled_from(["*", "a", "b", "?", "[ab]", "[!a]", "/", "**/", "."]), min_size=1, max_size=8)
NAMES = st.text(alphabet="ab./", min_size=1, max_size=9).filter(lambda name: "//" not in name and name[0] != "/")


@given(PIECES.map("".join), NAMES)
@settings(max_examples=400, deadline=None)
def test_quick_patterns_match_the_same(pattern: str, name: str) -> None:
    """What is rewritten so that no name takes long matches what the library's own expression matches."""
    try:
        own = _parsed(pattern)
    except IgnoreFileError:
        return
    regex, _ = GitIgnoreSpecPattern.pattern_to_regex(_FOLDERS_BELOW.sub("/**/*/", pattern))
    if regex is None:
        assert own == ()
    else:
        assert bool(own[0].names.fullmatch(name)) == bool(re.fullmatch(_whole(regex), name))


def test_no_pattern_takes_long() -> None:
    """Twenty stars against a name that nearly fits: a plain expression would try for ever."""
    spec = _parsed("*" + "a*" * 20 + "b\n" + "*?" * 20 + "b")
    assert not any(rule.names.fullmatch("a" * 250) for rule in spec)
