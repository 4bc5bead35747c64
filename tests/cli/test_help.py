"""`--help`: named panels, plain words, examples that work, nothing cut off."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from batchcomp.cli.app import app
from batchcomp.cli.config import commands_of
from batchcomp.cli.examples import EXAMPLES
from batchcomp.cli.help import in_plain_words
from tests.cli.conftest import Run

ROOT: Any = typer.main.get_command(app)
COMMANDS = {name.replace(".", " "): command for name, command in commands_of(ROOT).items()}
GROUPS = ("", "bench", "train")


def options_of(text: str) -> Iterator[str]:
    yield from re.findall(r"^  (?:-\w, )?(--[\w-]+)", text, re.MULTILINE)


@pytest.mark.parametrize("name", [*GROUPS, *COMMANDS])
def test_three_examples_a_command(name: str, run: Run) -> None:
    """Each command shows three, each with what it does."""
    shown = run(*name.split(), "--help").out
    assert len(EXAMPLES[name]) == 3
    for line, what in EXAMPLES[name]:
        assert f"  {line}\n" in shown
        assert what.split()[0] in shown


@pytest.mark.parametrize("line", [line for examples in EXAMPLES.values() for line, _ in examples])
def test_examples_parse(line: str) -> None:
    """What an example types is what the command takes: no option is unknown, none too much."""
    words = shlex.split(line)[1:]
    name = " ".join(words[:2]) if words[0] in {"bench", "train"} else words[0]
    command = COMMANDS[name]
    parser = command.make_parser(typer.Context(command, resilient_parsing=True))
    _, rest, _ = parser.parse_args(args=words[len(name.split()) :])
    assert rest == []


@pytest.mark.parametrize("name", [*GROUPS, *COMMANDS])
def test_no_jargon_of_the_parser(name: str, run: Run) -> None:
    """No `<int range>`, no `x>=0`, no braces around arguments; no option is lost among the panels."""
    shown = run(*name.split(), "--help").out
    assert not re.search(r"<\w|x[<>]=|^Usage.*\{", shown, re.MULTILINE)
    command = COMMANDS.get(name)
    if command:
        named = {
            opt for one in command.params if one.param_type_name == "option" for opt in one.opts if opt[:2] == "--"
        }
        assert named <= set(options_of(shown))
        assert shown.count("\nEvery command:\n") == 1


def test_descriptions_fit(run: Run) -> None:
    """What the lists of commands say of each fits 80 columns: nothing ends in dots."""
    for name in GROUPS:
        assert "..." not in run(*name.split(), "--help").out.split("Commands:")[1]


def test_options_stand_in_panels(run: Run) -> None:
    """A command with many options names what they are about; those of every command come last."""
    shown = run("compress", "--help").out
    titles = [line for line in shown.splitlines() if line and not line.startswith((" ", "Usage"))]
    assert titles[:2] == ["Arguments:", "Options:"]
    assert titles[-2:] == ["Every command:", "Examples:"]
    assert {"How pictures are stored:", "Networks and machine:", "Which files:", "Untrusted files:"} < set(titles)


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("So.  [default: 55; 1<=x<=100]", "So.  [default: 55; 1 to 100]"),
        ("So.  [x>=0.01]", "So.  [0.01 or more]"),
        ("So.  [default: 500.0; x<=9]", "So.  [default: 500; 9 or less]"),
        ("x to do  [default: max]", "x to do  [default: max]"),
        ("Nothing.", "Nothing."),
    ],
)
def test_plain_words(said: str, plain: str) -> None:
    """Ranges and defaults are written as people write them; texts that only look alike stay."""
    assert in_plain_words(said) == plain
