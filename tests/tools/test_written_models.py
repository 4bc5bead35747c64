"""The tools that write a model's or the packer's file."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from batchcomp.models import packer_file
from tests.tools.conftest import ROOT


def run(name: str, *options: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = str(ROOT / "tools" / name)
    monkeypatch.setattr(sys, "argv", [tool, *options])
    runpy.run_path(tool, run_name="__main__")


@pytest.mark.parametrize("tool", [("fit_packer.py", "."), ("make_exact.py", "model", ".")], ids=lambda tool: tool[0])
@pytest.mark.parametrize("out", ["", "missing/out.safetensors"])
def test_a_place_that_holds_no_file_is_refused_before_any_work(
    tool: tuple[str, ...], out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*tool, str(tmp_path / out), monkeypatch=monkeypatch)
    assert caught.value.code == 2
    assert f"{tmp_path / out}: not a file's name in an existing folder" in capsys.readouterr().err


def test_without_steps_the_packer_keeps_its_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "packer.safetensors"
    run(
        "fit_packer.py", ".", str(out), "--steps", "0", "--model", "default", "--model", "fast", monkeypatch=monkeypatch
    )
    assert out.read_bytes() == packer_file()
