"""Wrong words on the command line: one reason each, in plain words, and exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchcomp.cli.usage import refuse_empty
from batchcomp.errors import UsageError
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    "words",
    [
        ["compress", ""],
        ["compress", "photos", "-o", ""],
        ["compress", "photos", "--exclude="],
        ["decode", ""],
        ["report", "a.bca", "--html", ""],
        ["bench", "curves", ""],
    ],
)
def test_an_empty_word_is_not_this_folder(run: Run, words: list[str]) -> None:
    """A variable that is not set must not archive or restore whatever folder one happens to be in."""
    Path("a.jpg").write_bytes(b"x")
    result = run(*words)
    assert (result.code, result.out) == (2, "")
    assert "empty; is a variable not set?" in result.err
    assert result.err.count("\n") <= 2
    assert [path.name for path in Path().iterdir()] == ["a.jpg"]


def test_what_is_empty_is_named() -> None:
    """The option before it, where there is one; words that merely hold nothing unusual pass."""
    with pytest.raises(UsageError, match=r"^-o: its value is empty"):
        refuse_empty(["a", "-o", ""])
    with pytest.raises(UsageError, match=r"^--out: its value is empty"):
        refuse_empty(["a", "--out="])
    with pytest.raises(UsageError, match=r"^an argument is empty"):
        refuse_empty(["--", ""])
    refuse_empty(["a=", ".", " ", "-", "--where", "a = 1"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["compress", "x", "-q", "0"], "'0': expected a whole number from 1 to 100"),
        (["compress", "x", "-q", "101"], "'101': expected a whole number from 1 to 100"),
        (["compress", "x", "-q", "nan"], "'nan': expected a whole number from 1 to 100"),
        (["compress", "x", "--max-load", "nan"], "'nan': expected a number from 0.01 on"),
        (["serve", "x", "--port", "abc"], "'abc': expected a whole number from 0 to 65535"),
    ],
)
def test_a_wrong_number_says_what_is_expected(run: Run, words: list[str], said: str) -> None:
    """With the value as typed and the range, as text and as the last JSON line."""
    result = run(*words)
    assert (result.code, said in result.err) == (2, True)
    if words[0] == "compress":
        found = run(*words, "--json")
        assert said in json.loads(found.out.splitlines()[-1])["error"]


def test_the_configuration_file_says_the_same(run: Run) -> None:
    """A number out of its range there is told in the same words."""
    Path("c.toml").write_text("[compress]\nquality = 500\n")
    result = run("compress", "x", "--config", "c.toml")
    assert (result.code, "quality = 500: expected a whole number from 1 to 100" in result.err) == (2, True)
