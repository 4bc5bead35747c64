"""docs/threat-model.md: every promise names tests that exist, and no code opens a connection."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODEL = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
PROMISES = [line for line in MODEL.splitlines() if re.match(r"\| [A-Z]", line)]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", MODEL)))


def test_every_promise_has_a_proof() -> None:
    """Each row of the table names at least one test."""
    assert len(PROMISES) >= 15
    assert [line for line in PROMISES if "::test_" not in line] == []


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda part: part)
def test_a_proof_exists(file: str, name: str) -> None:
    """The test is there under its name, and asserts or expects something."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    (found,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    assert any(isinstance(node, ast.Assert | ast.With) for node in ast.walk(found))


def test_it_is_one_page() -> None:
    """People read it: at most 900 words."""
    assert len(re.sub(r"`tests/[^`]+`", "", MODEL).split()) <= 900


OFFLINE = """
import socket, sys
def refused(*_, **__):
    raise SystemExit("a connection was opened")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refused
from batchcomp.cli import main
main()
"""


def test_nothing_opens_a_connection(tmp_path: Path, tiny_model: Path) -> None:
    """Compressing, verifying and describing the installation work where every connection is refused."""
    from PIL import Image  # noqa: PLC0415

    (tmp_path / "in").mkdir()
    Image.linear_gradient("L").save(tmp_path / "in" / "a.png")
    compress = ["compress", "in", "--model", str(tiny_model), "--jobs", "1"]
    for arguments in (compress, ["verify", "in.bca"], ["doctor"]):
        command = [sys.executable, "-c", OFFLINE, *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
