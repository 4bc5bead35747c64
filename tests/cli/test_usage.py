"""Wrong words on the command line: one reason each, in plain words, and exit code 2."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from batchcomp.cli.app import app
from batchcomp.cli.usage import refuse_empty
from batchcomp.errors import UsageError
from batchcomp.settings import TARGETS
from tests.cli import samples
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
        (["compress", "x", "--max-load", "nan"], "'nan': expected a number from 0.01 to 1000000000"),
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


def _numbers(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every option of every command that takes a number, with the words that name the command."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _numbers(command, (*words, name))
            continue
        for parameter in command.params:
            kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
            if kind in {int, float}:
                yield (*words, name), parameter


NUMBERS = list(_numbers(typer.main.get_command(app)))
IN_WORDS = {f"--{kind}" for kind in TARGETS}  # the settings say their range


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e300", "9" * 25, "9" * 400, "9" * 5000])
def test_no_number_is_too_large_to_be_refused(run: Run, value: str) -> None:
    """Of every option of every command: one line with the range, whatever the system would make of the number."""
    assert len(NUMBERS) > 90
    for words, option in NUMBERS:
        needed = ["photos", "--run", "run"] if words[0] == "train" else ["photos"]
        result = run(*words, *needed, f"{option.opts[0]}={value}")
        said = result.err.strip().splitlines()[-1]
        assert (result.code, result.out) == (2, ""), (words, option.opts, result.err[-500:])
        assert "expected" in said, (words, option.opts, said)


def test_every_number_has_a_range() -> None:
    """A new option needs one too; what stands in the configuration file is held against the same."""
    open_ended = {option.opts[0] for _, option in NUMBERS if option.min is None or option.max is None}
    assert open_ended == IN_WORDS - {"--max-bytes"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["compress", "x", "--jobs", "2147483648"], "expected a whole number from 0 to 1024"),
        (["compress", "x", "--max-source", "inf"], "expected a number from 0.0001 to 1000000000"),
        (["compress", "x", "--max-seconds", "1e300"], "expected a number from 0.1 to 100000"),
        (["compress", "x", "--max-memory", "1e30"], "expected a number from 300 to 1000000000"),
        (["compress", "x", "--batch-size", "9" * 5000], "expected auto or a whole number from 1 to 65536"),
        (["compress", "x", "--max-bytes", "9" * 400], "expected 1 to 4.29497e+09"),
        (["compress", "x", "--parity", "9" * 400], "expected 0%, or 0.1% to 100%"),
        (["decode", "x", "--version=" + "9" * 20], "expected a whole number from -1000000000 to 1000000000"),
        (
            ["bench", "curves", "x", "--guards", "inf"],
            "expected numbers from 0.001 to 100 separated by commas, or none",
        ),
        (["train", "alternating", "x", "--run", "r", "--turns", "9" * 5000 + ",1,1"], "expected three whole numbers"),
    ],
)
def test_a_huge_number_is_told_its_range(run: Run, words: list[str], said: str) -> None:
    """Nothing is started that would fail on it later."""
    Path("x").mkdir()
    samples.save(Path("x/a.png"), samples.image(200, 200))
    result = run(*words)
    assert result.code == (1 if "train" in words else 2), result.err
    assert said in result.err


def test_the_configuration_file_has_the_same_upper_limits(run: Run) -> None:
    """A huge number there is refused in the same words."""
    Path("c.toml").write_text("[compress]\njobs = 2147483648\n")
    result = run("compress", "x", "--config", "c.toml")
    assert result.code == 2
    assert "jobs = 2147483648: expected a whole number from 0 to 1024" in result.err


def test_the_largest_limits_can_be_kept_to(run: Run) -> None:
    """What the ranges allow the system allows too: a picture is stored with every limit at its end."""
    Path("x").mkdir()
    samples.save(Path("x/a.png"), samples.image(64, 64))
    names = ("--max-pixels", "--max-side", "--max-source", "--max-metadata", "--max-seconds", "--max-memory")
    limits = [f"{option.opts[0]}={option.max}" for words, option in NUMBERS if words == ("compress",)
              if option.opts[0] in {*names, "--lock-wait", "--max-load"}]  # fmt: skip
    result = run("compress", "x", "--no-measure", *limits)
    assert result.code == 0, result.err
