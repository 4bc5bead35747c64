"""The first line of a command is there before what takes long is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from batchcomp.cli import session
from batchcomp.cli.starting import starting
from tests.cli import samples

WATCHED = """
import sys
from batchcomp.cli import main, streams

written = streams.SafeStderr.write

def write(self, text):
    if "..." in text and "heavy" not in seen:
        heavy = {"numpy", "PIL.Image", "rich", "sqlite3", "torch"}
        seen["heavy"] = sorted(heavy & sys.modules.keys())
        seen["text"] = text
    return written(self, text)

seen = {}
streams.SafeStderr.write = write
streams.SafeStderr.isatty = lambda self: True
sys.argv = ["batchcomp", *sys.argv[1:]]
try:
    main()
finally:
    print(seen, file=sys.stdout)
"""


@pytest.mark.parametrize(
    ("command", "title"),
    [
        (("compress", "photos"), "Compressing"),
        (("compress", "photos", "--dry-run"), "Planning"),
        (("decode", "photos.bca"), "Restoring"),
        (("verify", "photos.bca"), "Verifying"),
    ],
)
def test_the_first_line_comes_before_heavy_modules(tmp_path: Path, command: tuple[str, ...], title: str) -> None:
    """On a terminal a command says what it does before it loads an image library, a database or rich."""
    samples.save(tmp_path / "photos" / "a.png", samples.image(40, 50))
    (tmp_path / "photos.bca").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *command],
        cwd=tmp_path,
        env=os.environ | {"TERM": "xterm"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == str({"heavy": [], "text": f"{title} ...\r"})


@pytest.mark.parametrize(("terminal", "quiet"), [(True, False), (False, False), (True, True)])
def test_it_goes_without_a_trace_and_only_terminals_see_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool, quiet: bool
) -> None:
    """The line is overwritten with blanks, also where loading fails; pipes and --quiet get nothing."""
    monkeypatch.setattr("batchcomp.cli.streams.SafeStderr.isatty", lambda _: terminal)
    session.begin().quiet = quiet
    with pytest.raises(ImportError), starting("Working"):
        raise ImportError
    session.begin()
    expected = f"Working ...\r{' ' * 11}\r" if terminal and not quiet else ""
    assert capsys.readouterr().err == expected
