"""The speed benchmark: what it times is real, and its targets are computed from what was found."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from batchcomp.benchmark import machine
from batchcomp.benchmark.hyperprior import M, macs_per_pixel, synthesis
from batchcomp.benchmark.machine import matmul_gflops, median_seconds, run_measured, side_by_side, tree_bytes
from batchcomp.benchmark.material import crop_of, mosaic_of, write_crops, write_mosaic
from batchcomp.benchmark.speedplot import plot_speed
from batchcomp.benchmark.speedrun import SCHEMA, Encoder, Plan, SpeedReport, Whole, run_speed
from batchcomp.benchmark.stages import Net, Stage, macs_of
from batchcomp.codec import weights
from batchcomp.codec.codec import Codec
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.errors import UsageError
from batchcomp.images.load import load
from batchcomp.report.speed import speed_sheets, targets
from tests.benchmark.samples import photo, save_photos


def test_the_hyperprior_makes_pictures_at_its_published_cost() -> None:
    """16 pixels a latent in each direction; 43 kMAC a pixel as publications count, ours within 2 %."""
    with torch.inference_mode():
        assert synthesis()(torch.zeros(1, M, 3, 2)).shape == (1, 3, 48, 32)
    assert macs_per_pixel() / 1e3 == pytest.approx(42.6, abs=0.8)


def test_macs_are_those_of_the_convolutions() -> None:
    """Kernel area times channels for each pixel, less where a net works at lower resolution."""
    conv = nn.Conv2d(3, 5, 3, padding=1)

    class Folded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(12, 4, 1)

        def forward(self, x: torch.Tensor, _step: torch.Tensor) -> torch.Tensor:
            return self.conv(nn.functional.pixel_unshuffle(x, 2))

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = conv

        def forward(self, x: torch.Tensor, _step: torch.Tensor) -> torch.Tensor:
            return self.conv(x)

    assert macs_of(Plain(), 16) == 9 * 3 * 5
    assert macs_of(Folded(), 16) == 12 * 4 / 4


def test_crops_differ_and_keep_their_size(tmp_path: Path) -> None:
    """Equal files would be stored once: no two of them are equal, from small photos too."""
    photos = [photo(), photo(seed=1)]
    crops = [crop_of(photos, number, 200).tobytes() for number in range(20)]
    assert len(set(crops)) == 20
    write_crops(photos, tmp_path, 3, 64)
    assert [load(path).pixels.shape for path in sorted(tmp_path.iterdir())] == [(64, 64, 3)] * 3


def test_mosaics_continue_a_photo_by_its_mirror_image(tmp_path: Path) -> None:
    """No seam: next to the last column stands the last column."""
    small = photo(10, 12)
    large = mosaic_of(small, 25, 30)
    assert large.shape == (25, 30, 3)
    assert np.array_equal(large[:10, :12], small)
    assert np.array_equal(large[:10, 12:24], small[:, ::-1])
    write_mosaic(small, tmp_path / "a" / "b.jpg", 0.01)
    assert load(tmp_path / "a" / "b.jpg").pixels[..., 0].size == pytest.approx(10_000, rel=0.03)


def test_the_peak_is_a_rate_and_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    assert matmul_gflops(1, runs=1) > 0.1
    assert torch.get_num_threads() == before


def test_work_side_by_side_is_done_that_often() -> None:
    """Each copy runs, and an error of any is raised."""
    done: list[int] = []
    side_by_side(lambda: done.append(1), 3)()
    assert len(done) == 3
    assert median_seconds(lambda: None, 3) >= 0

    def broken() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        side_by_side(broken, 2)()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="memory of processes is read from /proc")
def test_memory_of_a_process_tree_is_seen() -> None:
    """This process holds more than Python itself needs, and a block that it takes adds its size."""
    import os  # noqa: PLC0415

    before = tree_bytes(os.getpid())
    block = np.ones(100 << 20, np.uint8)
    assert tree_bytes(os.getpid()) - before == pytest.approx(block.nbytes, rel=0.3)


def test_a_measured_run_tells_time_memory_and_code() -> None:
    """A command that works and one that does not."""
    ran = run_measured(["--version"])
    assert ran.code == 0
    assert ran.seconds > 0
    assert run_measured(["compress", "/nowhere/at/all", "-o", "x.bca"]).code != 0


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
        plan=Plan(files=(2,), megapixels=(0.2,), bulk=2, runs=1),
        model=model,
    )


def test_a_speed_run_times_everything(report: SpeedReport) -> None:
    """Every stage, rival, network and whole run has a positive speed, and whole runs stored what they were given."""
    assert [stage.name for stage in report.stages] == [
        "load", "ComCNN", "encode", "write", "decode", "RecCNN", "save PNG", "measure",
    ]  # fmt: skip
    assert [net.name for net in report.nets] == ["ComCNN", "RecCNN", "hyperprior synthesis"]
    assert {rival.name for rival in report.rivals} >= {"avif", "jpegxl", "webp", "jpeg"}
    assert [run.what for run in report.wholes] == ["compress", "compress, measured", "decode to PNG"]
    assert [run.files for run in report.small_files] == [2]
    assert [run.megapixels for run in report.large_pictures] == [0.2]
    assert all(stage.mps > 0 for stage in report.stages)
    assert all(run.seconds > 0 and run.first_seconds for run in report.wholes)
    if sys.platform == "linux":
        assert all((run.peak_bytes or 0) > 50e6 for run in report.wholes)


def test_the_report_is_json_tables_and_a_plot(report: SpeedReport, tmp_path: Path) -> None:
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

    def whole(what: str, files: int, seconds: float) -> Whole:
        return Whole(
            what=what, files=files, megapixels=12 * files, seconds=seconds, first_seconds=2.0, peak_bytes=1_000_000_000
        )

    def net(name: str, mps: float, share: float) -> Net:
        return Net(name=name, mps=mps, kmacs=20, gflops=share * 100, share=share)

    return replace(
        report,
        stages=[Stage(name="decode", mps=8), Stage(name="RecCNN", mps=8)],
        nets=[net("ComCNN", 9, 0.8), net("RecCNN", 8, 0.7), net("hyperprior synthesis", 1, 0.5)],
        rivals=[
            Encoder(name="avif", quality=1, encode_mps=5, decode_mps=9),
            Encoder(name="jpegxl", quality=1, encode_mps=4, decode_mps=9),
        ],
        wholes=[whole("compress", 1, 3), whole("compress, measured", 1, 9)],
        small_files=[whole("10 files", 10, 2), whole("100 files", 100, 3), whole("1,000 files", 1000, 21)],
        startup_seconds=1.0,
    )


def test_targets_follow_from_the_figures(report: SpeedReport) -> None:
    """Ratios, shares, memory, first picture, small files and growth, each met or not as arithmetic says."""
    found = {what: (value, met) for what, _, value, met in targets(known(report))}
    assert found["compress over AVIF speed 6"] == ("1.20 x", True)
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
        lambda _: machine.Ran(seconds=1, first_seconds=None, peak_bytes=None, code=1, errors="disk full"),
    )
    with pytest.raises(UsageError, match="1 files of 256 px: the run ended with 1: disk full"):
        run_speed(save_photos(tmp_path, 1), codec, threads=1, plan=Plan(bulk=1, runs=1))
