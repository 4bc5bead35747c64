"""`tools/processor_speed.py`."""

from __future__ import annotations

import platform
import runpy
import subprocess
import sys

import pytest

from batchcomp.codec.engines.select import has_ncnn
from tests.codec.engines.processors import LACKING
from tests.tools.conftest import ROOT

TOOL = ROOT / "tools" / "processor_speed.py"


@pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="flags of x86 under Linux")
@pytest.mark.skipif(not has_ncnn(), reason="there is no ncnn for this platform")
def test_a_row_for_each_processor(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", [str(TOOL), "fast"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    try:
        runpy.run_path(str(TOOL), run_name="__main__")
    except subprocess.CalledProcessError:
        if "LookupError" in capfd.readouterr().err:
            pytest.skip("this build of ncnn keeps its flags elsewhere")
        raise
    rows = [line.strip("| ").split(" | ") for line in capfd.readouterr().out.splitlines()]
    assert [row[0] for row in rows[2:]] == list(LACKING)
    assert all(float(row[1]) > 0 for row in rows[2:])
