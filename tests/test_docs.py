"""The papers agree with the repository: links lead somewhere, named files exist, the README fits a terminal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from batchcomp.cli.app import app
from batchcomp.models import MODELS

ROOT = Path(__file__).parent.parent
FOLDERS = ("", "batchcomp/models", "docs", "docs/benchmarks", "examples/cluster", "examples/cron", "examples/docker")
PAPERS = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.md"))
LINK = re.compile(r"\]\(([^)#\s]+)(?:#([\w-]+))?\)")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS = "cli|benchmark|training|serve|pages|report|pipeline|archive|codec|images|metrics|models"
NAMED = sorted(set(re.findall(rf"(?<![\w/.])(?:batchcomp/)?((?:{ROOMS})(?:/\w+)+(?:\.py)?)(?![\w/])", ARCHITECTURE)))


EXAMPLES = sorted(path for path in (ROOT / "examples").rglob("*") if path.is_file() and path.parent.name != "photos")
CALL = re.compile(r"(?<![\w/.-])batchcomp ((?:(?:bench|train|help) )?[a-z]+)((?: [^`#|;&\n]*)?)")


def anchors(path: Path) -> set[str]:
    """The anchors of a paper's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(paper: Path) -> None:
    """Every relative link names a file of the repository, and a heading in it where it names one."""
    for target, anchor in LINK.findall(paper.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            found = paper.parent / target
            assert found.exists(), target
            assert not anchor or anchor in anchors(found), f"{target}#{anchor}"


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_rows_of_tables_have_the_cells_of_their_heads(paper: Path) -> None:
    """Viewers leave out the cells of a row that are too many."""
    text = re.sub(r"^```.*?^```", "", paper.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(widths) == 1, table.splitlines()[0]


def command_of(words: str) -> Any:
    """The command that is called by these words, such as "bench curves"; None where there is none."""
    found: Any = typer.main.get_command(app)
    for word in words.removeprefix("help ").split():
        found = getattr(found, "commands", {}).get(word)
    return found


@pytest.mark.parametrize("paper", [*PAPERS, *EXAMPLES], ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_options_are_there(paper: Path) -> None:
    """Every command line of a paper or an example names a command and options that there are."""
    text = paper.read_text(encoding="utf-8").replace("\\\n", " ")
    for words, rest in CALL.findall(text):
        command = command_of(words)
        if words in MODELS or (command is None and not rest.lstrip().startswith("-")):
            continue  # how results name our codec; a sentence about batchcomp
        assert command is not None, words
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        named = set(re.findall(r"(?<= )--[a-z][\w-]*", rest)) - {"--help"}
        assert named <= known, f"{words}: {named - known}"


def test_the_calls_are_found() -> None:
    """What is searched for is what a README has; a line that ends in a backslash goes on."""
    found = CALL.findall(
        "    batchcomp compress ./photos --json  # text\n`batchcomp bench curves A --html F`, /x/batchcomp no"
    )
    assert found == [("compress", " ./photos --json  "), ("bench curves", " A --html F")]
    assert command_of("bench curves").name == "curves"
    assert command_of("bench nothing") is None


@pytest.mark.parametrize("name", NAMED)
def test_the_architecture_names_what_is_there(name: str) -> None:
    """Every file and folder of the code that docs/architecture.md names exists; NAME stands for a new one."""
    path = ROOT / "batchcomp" / name
    assert path.exists() or "NAME" in name or "jpeg2000" in name


def test_the_readme_fits_a_terminal() -> None:
    """No line is wider than 110 characters."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > 110] == []


def test_every_document_is_in_the_index() -> None:
    """docs/README.md links to every other paper of its folder."""
    index = {target for target, _ in LINK.findall((ROOT / "docs" / "README.md").read_text(encoding="utf-8"))}
    papers = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")} - {"README.md"}
    assert papers <= index
