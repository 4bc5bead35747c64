"""The speed benchmark: what it times is real, and its targets are computed from what was found."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from batchcomp.benchmark import machine
from batchcomp.benchmark.curves import load_rgb
from batchcomp.benchmark.speedplot import plot_speed
from batchcomp.benchmark.speedrun import SCHEMA, STARTS, CommandRun, SpeedPlan, SpeedReport, _wholes, run_speed
from batchcomp.benchmark.wholes import Command
from batchcomp.codec import weights
from batchcomp.codec.codec import Codec
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.errors import UsageError
from batchcomp.report.speed import LIGHT, speed_sheets, targets
from batchcomp.report.text import ABSENT
from batchcomp.report.trade import TradePoint
from tests.benchmark.samples import save_photos


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> SpeedReport:
    folder = tmp_path_factory.mktemp("speed")
    torch.manual_seed(0)
    model = folder / "tiny.safetensors"
    architecture = ResidualArchitecture(com_width=8, com_blocks=1, rec_width=8, rec_blocks=1)
    model.write_bytes(weights.to_bytes(ResidualNetwork(architecture)))
    return run_speed(
        save_photos(folder),
        Codec.open(model, device="cpu"),
        threads=1,
        plan=SpeedPlan(
            files=(2,),
            megapixels=(0.2, 13),
            bulk=2,
            bulk_megapixels=0.3,
            light=1,
            packed=1,
            cores=1,
            timed_megapixels=0.1,
        ),
        model=model,
    )


def test_a_speed_run_times_everything(report: SpeedReport) -> None:
    """Every stage, rival, network and whole run has a positive speed, and whole runs stored what they were given."""
    assert [stage.name for stage in report.stages] == [
        "load", "ComCNN", "encode", "write", "read", "decode", "RecCNN", "save PNG", "measure",
    ]  # fmt: skip
    assert [net.name for net in report.nets] == ["ComCNN", "RecCNN", "hyperprior synthesis"]
    assert {rival.name for rival in report.rivals} >= {"avif speed 6", "jpegxl effort 7", "webp method 4", "jpeg"}
    assert [run.what for run in report.wholes] == [
        "compress", "compress, measured", "decode to PNG", *(["compress, packed"] if find_spec("constriction") else []),
    ]  # fmt: skip
    assert report.model == "tiny"
    assert [run.files for run in report.small_files] == [2]
    assert (report.small_files[0].extra_bytes or 0) > 200  # few pictures share one manifest
    assert [run.what for run in report.large_pictures] == ["one picture of 0.2 MP, measured", "one picture of 13 MP"]
    assert [run.what for run in report.scaling][:3] == [
        "compress, 1 core", "compress, measured, 1 core", "decode to PNG, 1 core",
    ]  # fmt: skip
    assert all((run.cpu_seconds or 0) > 0 for run in report.scaling if sys.platform != "win32")
    assert report.megapixels <= 0.1  # a crop
    assert report.pace_mps > 0
    assert all(stage.mps > 0 for stage in report.stages)
    assert all(run.seconds > 0 and run.first_seconds for run in report.wholes)
    if sys.platform == "linux":
        assert all((run.peak_bytes or 0) > 50e6 for run in report.wholes)


def test_the_report_is_json_tables_and_a_plot(report: SpeedReport, tmp_path: Path) -> None:
    """What was found becomes a document, five tables and a plot."""
    found = json.loads(report.to_json())
    assert found["schema"] == SCHEMA == "batchcomp-speed/2"
    assert found["nets"][2]["share"] is None
    assert [sheet.title.split(",")[0].split(" ")[0] for sheet in speed_sheets(report)] == [
        "Stages", "Rivals", "Networks", "Whole", "Cores", "Cores:", "Cores", "Targets",
    ]  # fmt: skip
    plot_speed(report, tmp_path / "speed.png")
    alone = (tmp_path / "speed.png").stat().st_size
    assert alone > 1000
    points = [
        TradePoint(line="batchcomp", name="fast, measured", speed=2.0, saved=43.0),
        TradePoint(line="avif", name="avif speed 6", speed=4.0, saved=44.0),
    ]
    plot_speed(report, tmp_path / "speed.png", points)
    assert (tmp_path / "speed.png").stat().st_size > alone + 5000  # the chart of compression against speed
    with pytest.raises(UsageError, match=r"\.png or \.svg"):
        plot_speed(report, tmp_path / "speed.gif")


def known(report: SpeedReport) -> SpeedReport:
    """The report with figures that are easy to check."""

    def whole(what: str, files: int, seconds: float) -> CommandRun:
        return CommandRun(
            what=what, files=files, megapixels=12 * files, seconds=seconds, first_seconds=2.0, peak_bytes=1_000_000_000
        )

    return replace(
        report,
        pace_mps=5.0,
        wholes=[
            whole("compress", 4, 5),
            replace(whole("compress, measured", 4, 9), peak_bytes=1_100_000_000),
            whole("decode to PNG", 4, 4.2),
        ],
        small_files=[
            whole("10 files", 10, 2),
            whole("100 files", 100, 3),
            replace(whole("1,000 files", 1000, 6), extra_bytes=201.0),
        ],
        large_pictures=[
            replace(whole("one picture of 1 MP, measured", 1, 1.2), first_seconds=0.9),
            replace(whole("one picture of 12 MP, measured", 1, 5), first_seconds=2.04),
        ],
        startup_seconds=1.0,
    )


def test_targets_follow_from_the_figures(report: SpeedReport) -> None:
    """The nine that were set, in their order, each met or not as arithmetic says."""
    assert list(targets(known(report))) == [
        ("compress, measured, over AVIF speed 6", "1.2 x", "1.20 x", True),
        ("compress, over AVIF speed 6", "3 x", "2.40 x", False),
        ("decode to PNG, over AVIF speed 6", "2.5 x", "3.00 x", True),
        ("compress, large model, over AVIF speed 6", "0.9 x", "2.40 x", True),
        ("first picture of 12 MP done", "2 s", "2.04 s", False),
        ("one picture of 1 MP, whole run", "1.2 s", "1.20 s", True),
        ("memory, 12 MP in bulk, measured", "1.0 GB", "1.1 GB", False),
        ("1,000 files, a second", "200", "200", True),
        ("archive beyond payloads, a picture", "200 bytes", "201 bytes", False),
        ("seconds a file, 1,000 over 100", "1.1", "0.25", True),
    ]


def test_the_lightest_model_has_rows_of_its_own(report: SpeedReport) -> None:
    """Where it was timed too, all its targets follow those of the model asked for."""
    found = known(report)
    runs = [*found.wholes, *found.large_pictures, replace(found.small_files[2], what="1,000 files of 256 px")]
    light = [replace(run, what=f"{run.what}, fast", seconds=3.0) for run in runs]
    rows = list(targets(replace(found, wholes=[*found.wholes, *light])))[10:]
    assert rows == [
        ("compress, measured, fast, over AVIF speed 6", "1.2 x", "4.80 x", True),
        ("compress, fast, over AVIF speed 6", "3 x", "4.80 x", True),
        ("decode to PNG, fast, over AVIF speed 6", "2.5 x", "4.80 x", True),
        ("first picture of 12 MP done, fast", "2 s", "2.04 s", False),
        ("one picture of 1 MP, whole run, fast", "1.2 s", "3.00 s", False),
        ("memory, 12 MP in bulk, measured, fast", "1.0 GB", "1.1 GB", False),
        ("1,000 files of 256 px, a second, fast", "200", "500", True),
        ("archive beyond payloads, a picture, fast", "200 bytes", "201 bytes", False),
    ]


def test_fast_is_timed_with_all_that_targets_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no model is named: in bulk, over small files, and over one picture of each size of the targets."""
    seen: list[tuple[str, str]] = []

    def run(self: Command, what: str, *_: object, files: int, megapixels: float) -> CommandRun:
        seen.append((what, str(self.model)))
        return CommandRun(
            what=what, files=files, megapixels=megapixels, seconds=1, first_seconds=1, peak_bytes=1, cpu_seconds=1
        )

    monkeypatch.setattr(Command, "run", run)
    monkeypatch.setattr("batchcomp.benchmark.wholes.extra_bytes", lambda _: 200.0)
    monkeypatch.setattr("batchcomp.benchmark.speedrun.Pace", lambda *_: SimpleNamespace(mps=lambda: 4.0))
    command = Command(device="cpu", threads=1, model=None, on_done=lambda _: None)
    photos = save_photos(tmp_path, 1)
    plan = SpeedPlan(bulk=1, bulk_megapixels=0.1, light=1, light_files=10, packed=0)
    pace, wholes, startup = _wholes(command, tmp_path, photos, load_rgb(photos[0]), plan)
    assert (pace, startup) == (4.0, 1)
    assert [one.what for one in wholes] == [what for what, _ in seen[STARTS:]]
    assert [what for what, model in seen if model == LIGHT] == [
        "compress, fast", "compress, measured, fast", "decode to PNG, fast", "10 files of 256 px, fast",
        "one picture of 1 MP, measured, fast", "one picture of 12 MP, measured, fast",
    ]  # fmt: skip


def test_a_run_as_short_as_a_start_says_nothing(report: SpeedReport) -> None:
    """Nothing is divided by what is left of no time."""
    found = known(report)
    short = [replace(run, seconds=0.9) for run in (*found.wholes, *found.small_files)]
    rows = {
        what: (value, met) for what, _, value, met in targets(replace(found, wholes=short[:3], small_files=short[3:]))
    }
    assert rows["compress, over AVIF speed 6"] == (ABSENT, False)
    assert rows["1,000 files, a second"] == (ABSENT, False)


def test_what_was_not_run_is_not_met(report: SpeedReport) -> None:
    """Without a model, a picture or the system's word there is no figure, and no claim."""
    found = known(report)
    nothing = replace(found, wholes=[replace(found.wholes[1], peak_bytes=None)], small_files=[], large_pictures=[])
    rows = {what: (value, met) for what, _, value, met in targets(nothing)}
    for what in (
        "compress, over AVIF speed 6", "compress, large model, over AVIF speed 6", "first picture of 12 MP done",
        "one picture of 1 MP, whole run", "memory, 12 MP in bulk, measured",
    ):  # fmt: skip
        assert rows[what] == (ABSENT, False)


def test_nothing_to_time_and_failing_runs_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No photo is a usage error; a run that fails says which one and why."""
    torch.manual_seed(0)
    codec = Codec(
        weights.from_bytes(
            weights.to_bytes(
                ResidualNetwork(ResidualArchitecture(com_width=8, com_blocks=1, rec_width=8, rec_blocks=1))
            ),
            "x",
        )
    )
    with pytest.raises(UsageError, match="at least one photo"):
        run_speed([], codec, threads=1)
    monkeypatch.setattr(machine, "run_measured", None)  # not reached: the module under test holds its own name
    monkeypatch.setattr(
        "batchcomp.benchmark.wholes.run_measured",
        lambda _: machine.ProcessRun(seconds=1, first_seconds=None, peak_bytes=None, code=1, errors="disk full"),
    )
    with pytest.raises(UsageError, match="1 files of 256 px: the run ended with 1: disk full"):
        run_speed(save_photos(tmp_path, 1), codec, threads=1, plan=SpeedPlan(bulk=1, runs=1))
