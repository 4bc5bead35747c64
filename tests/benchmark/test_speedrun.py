"""The speed benchmark: what it times is real, and its targets are computed from what was found."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from batchcomp.benchmark import machine
from batchcomp.benchmark.speedplot import plot_speed
from batchcomp.benchmark.speedrun import SCHEMA, CommandRun, RivalSpeed, SpeedPlan, SpeedReport, run_speed
from batchcomp.benchmark.stages import NetSpeed, Stage
from batchcomp.codec import weights
from batchcomp.codec.codec import Codec
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.errors import UsageError
from batchcomp.report.speed import speed_sheets, targets
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
        plan=SpeedPlan(files=(2,), megapixels=(0.2,), bulk=2, runs=1),
        model=model,
    )


def test_a_speed_run_times_everything(report: SpeedReport) -> None:
    """Every stage, rival, network and whole run has a positive speed, and whole runs stored what they were given."""
    assert [stage.name for stage in report.stages] == [
        "load", "ComCNN", "encode", "write", "decode", "RecCNN", "save PNG", "measure",
    ]  # fmt: skip
    assert [net.name for net in report.nets] == ["ComCNN", "RecCNN", "hyperprior synthesis"]
    assert {rival.name for rival in report.rivals} >= {"avif speed 6", "jpegxl effort 7", "webp method 4", "jpeg"}
    assert [run.what for run in report.wholes] == ["compress", "compress, measured", "decode to PNG"]
    assert [run.files for run in report.small_files] == [2]
    assert [run.megapixels for run in report.large_pictures] == [0.2]
    assert all(stage.mps > 0 for stage in report.stages)
    assert all(run.seconds > 0 and run.first_seconds for run in report.wholes)
    if sys.platform == "linux":
        assert all((run.peak_bytes or 0) > 50e6 for run in report.wholes)


def test_the_report_is_json_tables_and_a_plot(report: SpeedReport, tmp_path: Path) -> None:
    """What was found becomes a document, five tables and a plot."""
    found = json.loads(report.to_json())
    assert found["schema"] == SCHEMA == "batchcomp-speed/1"
    assert found["nets"][2]["share"] is None
    assert [sheet.title.split(",")[0].split(" ")[0] for sheet in speed_sheets(report)] == [
        "Stages", "Rivals", "Networks", "Whole", "Targets",
    ]  # fmt: skip
    plot_speed(report, tmp_path / "speed.png")
    assert (tmp_path / "speed.png").stat().st_size > 1000
    with pytest.raises(UsageError, match=r"\.png or \.svg"):
        plot_speed(report, tmp_path / "speed.gif")


def known(report: SpeedReport) -> SpeedReport:
    """The report with figures that are easy to check."""

    def whole(what: str, files: int, seconds: float) -> CommandRun:
        return CommandRun(
            what=what, files=files, megapixels=12 * files, seconds=seconds, first_seconds=2.0, peak_bytes=1_000_000_000
        )

    def net(name: str, mps: float, share: float) -> NetSpeed:
        return NetSpeed(name=name, mps=mps, kmacs=20, gflops=share * 100, share=share)

    return replace(
        report,
        stages=[Stage(name="decode", mps=8), Stage(name="RecCNN", mps=8)],
        nets=[net("ComCNN", 9, 0.8), net("RecCNN", 8, 0.7), net("hyperprior synthesis", 1, 0.5)],
        rivals=[
            RivalSpeed(name="avif speed 6", quality=1, encode_mps=5, decode_mps=9),
            RivalSpeed(name="jpegxl effort 7", quality=1, encode_mps=4, decode_mps=9),
        ],
        wholes=[whole("compress", 1, 3), whole("compress, measured", 1, 9)],
        small_files=[whole("10 files", 10, 2), whole("100 files", 100, 3), whole("1,000 files", 1000, 21)],
        startup_seconds=1.0,
    )


def test_targets_follow_from_the_figures(report: SpeedReport) -> None:
    """Ratios, shares, memory, first picture, small files and growth, each met or not as arithmetic says."""
    found = {what: (value, met) for what, _, value, met in targets(known(report))}
    assert found["compress over AVIF speed 6"] == ("1.20 x", False)
    assert found["compress over JPEG XL effort 7"] == ("1.50 x", False)
    assert found["compress, measured, over AVIF speed 6"] == ("0.30 x", False)
    assert found["decode to pixels over AVIF speed 6 encoding"] == ("0.80 x", False)
    assert found["decode to pixels over hyperprior synthesis"] == ("4.00 x", False)
    assert found["ComCNN, share of matmul peak"] == ("80%", True)
    assert found["RecCNN, share of matmul peak"] == ("70%", False)
    assert found["memory, 12 MP in bulk"][1]
    assert found["first picture"] == ("2.0 s", True)
    assert found["1,000 files, a second"] == ("50", False)
    assert found["seconds a file, 1,000 over 100"] == ("1.00", True)


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
        "batchcomp.benchmark.speedrun.run_measured",
        lambda _: machine.ProcessRun(seconds=1, first_seconds=None, peak_bytes=None, code=1, errors="disk full"),
    )
    with pytest.raises(UsageError, match="1 files of 256 px: the run ended with 1: disk full"):
        run_speed(save_photos(tmp_path, 1), codec, threads=1, plan=SpeedPlan(bulk=1, runs=1))
