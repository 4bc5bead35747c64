"""The papers agree with the repository: links lead somewhere, named files exist, the README fits a terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("", "docs", "docs/benchmarks", "examples/cluster", "examples/cron", "examples/docker")
PAPERS = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.md"))
LINK = re.compile(r"\]\(([^)#\s]+)(?:#([\w-]+))?\)")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS = "cli|benchmark|training|serve|pages|report|pipeline|archive|codec|images|metrics|models"
NAMED = sorted(set(re.findall(rf"(?<![\w/.])(?:batchcomp/)?((?:{ROOMS})(?:/\w+)+(?:\.py)?)(?![\w/])", ARCHITECTURE)))


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
