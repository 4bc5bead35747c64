"""Untrusted bytes never lead to a crash, a hang or a flood of memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .targets import TARGETS

ROOT = Path(__file__).parent.parent.parent
RUNS = 100_000
SECONDS, MEBIBYTES = 20, 2048  # ceilings for one input


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_sound_input(name: str) -> None:
    """Fuzzing starts from input that goes all the way."""
    target, seeds = TARGETS[name]
    for seed in seeds():
        target(seed)


edits = st.lists(
    st.tuples(st.integers(0, 2**20), st.integers(0, 16), st.one_of(st.binary(max_size=12), st.just(b"\xff" * 4))),
    min_size=1,
    max_size=5,
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_edited_input(name: str, data: st.DataObject) -> None:
    """Sound input with bytes overwritten, cut out and put in ends as every damaged file does."""
    target, seeds = TARGETS[name]
    text = bytearray(data.draw(st.sampled_from(seeds())))
    for position, cut, new in data.draw(edits):
        at = position % (len(text) + 1)
        text[at : at + cut] = new
    target(bytes(text))


@pytest.mark.long
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed")
@pytest.mark.parametrize("name", TARGETS)
def test_guided_by_coverage(name: str, tmp_path: Path) -> None:
    """100,000 inputs that atheris chose to reach new code: no crash, none above 20 s or 2 GiB."""
    limits = [f"-runs={RUNS}", f"-timeout={SECONDS}", f"-rss_limit_mb={MEBIBYTES}", "-print_final_stats=1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.fuzz.drive", name, *limits]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-4000:]
    done = re.search(r"Done (\d+) runs in (\d+) second", result.stderr)
    peak = re.search(r"peak_rss_mb:\s+(\d+)", result.stderr)
    cover = re.findall(r"cov: (\d+)", result.stderr)
    assert done
    assert int(done[1]) >= RUNS
    print(f"{name}: {done[1]} inputs, {done[2]} s, {peak and peak[1]} MiB at most, {cover[-1]} branches")  # noqa: T201
