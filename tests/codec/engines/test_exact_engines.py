"""Exact networks give the same pixels, by SHA-256, whatever computes them and however it is cut up."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from batchcomp import models
from batchcomp.codec import tiles, weights
from batchcomp.codec.codec import Codec
from batchcomp.codec.device import Device
from batchcomp.codec.engines import reference, select
from batchcomp.codec.engines.graphs import BUILDERS
from batchcomp.codec.engines.torch import TorchCpu, TorchDevice
from batchcomp.codec.model import Model
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.codec.whole_numbers import PIXEL_MIDDLE
from batchcomp.images.picture import Picture, Pixels
from tests.benchmark.samples import photo
from tests.codec.engines.processors import LACKING
from tests.codec.samples import GROWN, PHASED, PLAIN, moved, noise

ARCHITECTURES = {
    "plain": replace(PLAIN, exact=True),
    "phased": replace(PHASED, exact=True),
    "branch": replace(GROWN, unshuffle=4, rec_width=32, mid_width=64, exact=True),
    "full size": ResidualArchitecture(scale=1, rec_width=24, rec_blocks=2, gains=True, bands=True, exact=True),
}
LEVELS = (-1.9, 0.3, 3.1)


def exact_model(arch: ResidualArchitecture) -> Model:
    """Of a file, as users have it."""
    network = moved(arch)
    with torch.no_grad():  # small steps and large ones, as training leaves them
        for number, (name, value) in enumerate(network.named_buffers()):
            if name.endswith("grid.exponent") and "head" not in name:
                value.fill_(5 + number % 5)
    return weights.from_bytes(weights.to_bytes(network), "test")


def sha256(pixels: Pixels) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def by_reference(model: Model, tile: Pixels, level: float) -> Pixels:
    plan = BUILDERS[model.family](model.rec)
    picture = tile.transpose(2, 0, 1).astype(np.float32)
    found = reference.run(plan.graph, [picture, *plan.inputs(tile.shape[:2], level)])
    return (found.transpose(1, 2, 0) + PIXEL_MIDDLE).astype(np.uint8)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("size", [(5, 7), (1, 1), (8, 3)])
def test_all_engines_give_the_same_pixels(name: str, size: tuple[int, int]) -> None:
    model = exact_model(ARCHITECTURES[name])
    unit = model.arch.unit // model.arch.scale
    tile = noise(size[0] * unit, size[1] * unit, 3)
    for level in LEVELS:
        hashes = {
            "numpy": sha256(by_reference(model, tile, level)),
            "torch": sha256(TorchCpu(model.rec.module).start(tile[None], [level])[0]),
            "device": sha256(TorchDevice(model.rec.module, torch.device("cpu")).start(tile[None], [level])[0].numpy()),
            "chosen": sha256(select.choose(model.rec, Device("cpu")).start(tile[None], [level])[0]),
        }
        assert len(set(hashes.values())) == 1, hashes


@pytest.mark.skipif(not select.has_ncnn(), reason="there is no ncnn for this platform")
@pytest.mark.parametrize("packing", [True, False])
@pytest.mark.parametrize("sgemm", [True, False])
@pytest.mark.parametrize("winograd", [True, False])
def test_ncnns_kernels_agree(monkeypatch: pytest.MonkeyPatch, *, packing: bool, sgemm: bool, winograd: bool) -> None:
    """Those for packed channels, those that multiply matrices, and the plain ones."""
    import ncnn  # noqa: PLC0415

    from batchcomp.codec.engines.ncnn import Ncnn  # noqa: PLC0415

    load = ncnn.Net.load_param_mem

    def loaded(net: ncnn.Net, text: str) -> int:
        option = net.opt
        option.use_packing_layout, option.use_sgemm_convolution = packing, sgemm
        net.opt = option
        return int(load(net, text))

    monkeypatch.setattr(ncnn.Net, "load_param_mem", loaded)
    model = exact_model(ARCHITECTURES["branch"])
    engine = Ncnn(BUILDERS[model.family](model.rec), winograd=winograd)
    assert engine.name == "ncnn, exact"
    tile = noise(48, 72, 3)
    for level in LEVELS:
        assert sha256(engine.start(tile[None], [level])[0]) == sha256(by_reference(model, tile, level))


def test_kernels_that_might_round_another_way_are_not_used() -> None:
    """What has more parts of a step than float32 rounds alike everywhere goes through torch."""
    network = moved(ARCHITECTURES["branch"])
    with torch.no_grad():
        network.rec.trunk.body[0].first.weight.mul_(2.0**-14)
        network.rec.trunk.body[0].first.bias.mul_(2.0**-14)
    model = weights.from_bytes(weights.to_bytes(network, half=False), "test")
    with pytest.raises(ValueError, match="parts of a step"):
        BUILDERS[model.family](model.rec)
    assert select.choose(model.rec, Device("cpu")).name == "torch, exact"


@pytest.mark.parametrize("side", [32, 64, 400])
@pytest.mark.parametrize("threads", [1, 3])
def test_tiles_and_threads_change_nothing(side: int, threads: int) -> None:
    model = exact_model(ARCHITECTURES["branch"])
    arch = model.arch
    pixels, engine = noise(150, 201, 3), select.choose(model.rec, Device("cpu"))
    plan = tiles.TilePlan(unit=arch.unit // 2, up=2, down=1, halo=arch.rec_halo // 2, tile=side)
    whole = replace(plan, tile=10_000)
    found = tiles.Runner(threads=threads).run(engine, [pixels, pixels[:40]], [0.3, 2.0], plan)
    expected = tiles.Runner(threads=1).run(TorchCpu(model.rec.module), [pixels, pixels[:40]], [0.3, 2.0], whole)
    assert [sha256(one) for one in found] == [sha256(one) for one in expected]


SCRIPT = """
import hashlib, sys
import numpy as np, torch
torch.set_num_threads(int(sys.argv[2]))
from pathlib import Path
from batchcomp.codec import weights
from batchcomp.codec.engines.torch import TorchCpu
model = weights.load_file(Path(sys.argv[1]))
tile = np.random.default_rng(0).integers(0, 256, (1, 48, 72, 3), dtype=np.uint8)
print(hashlib.sha256(np.ascontiguousarray(TorchCpu(model.rec.module).start(tile, [0.3])).tobytes()).hexdigest())
"""


def test_instruction_sets_change_nothing(tmp_path: Path) -> None:
    """As far as torch and oneDNN can be told to leave some unused."""
    model, path = exact_model(ARCHITECTURES["branch"]), tmp_path / "model.safetensors"
    path.write_bytes(weights.to_bytes(model.network))
    expected = sha256(by_reference(weights.load_file(path), noise(48, 72, 3), 0.3))
    found = {}
    for capability, isa, threads in (("default", "SSE41", 1), ("avx2", "AVX2", 2), ("avx512", "DEFAULT", 1)):
        environment = {**os.environ, "ATEN_CPU_CAPABILITY": capability, "ONEDNN_MAX_CPU_ISA": isa}
        environment |= {"PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, path, str(threads)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        found[capability] = done.stdout.strip()
    assert found == dict.fromkeys(found, expected)


@pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="flags of x86 under Linux")
@pytest.mark.skipif(not select.has_ncnn(), reason="there is no ncnn for this platform")
@pytest.mark.parametrize("name", ["default", "fast", "default-fine"])
def test_ncnns_kernels_for_other_processors_change_nothing(name: str) -> None:
    """From SSE2 to AVX-512 with VNNI, as far as this processor has them, the exact models' pixels are torch's."""
    model = weights.load_shipped(name)
    tile = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8)
    expected = sha256(TorchCpu(model.rec.module).start(tile, [0.3]))
    path = Path(models.__file__).with_name(f"{name}.safetensors")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    found = {}
    for processor in LACKING:
        done = subprocess.run(
            [sys.executable, "-m", "tests.codec.engines.processors", path, processor],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if "LookupError" in done.stderr:
            pytest.skip("this build of ncnn keeps its flags elsewhere")
        found[processor] = done.stdout or done.stderr
    assert found == dict.fromkeys(LACKING, 2 * f"{expected}\n")


DECODE = """
import hashlib, sys
from batchcomp.codec import jpeg
print(hashlib.sha256(jpeg.decode(open(sys.argv[1], "rb").read())[0].tobytes()).hexdigest())
"""


def test_libjpeg_decodes_payloads_alike_with_and_without_simd(tmp_path: Path) -> None:
    """What the networks see of a payload is the same everywhere: https://libjpeg-turbo.org, JSIMD_FORCENONE."""
    path = tmp_path / "payload.jpg"
    path.write_bytes(Codec(exact_model(ARCHITECTURES["plain"])).compress(Picture(pixels=photo(200, 240)), 70))
    found = []
    for forced in ({}, {"JSIMD_FORCENONE": "1"}, {"JSIMD_FORCESSE2": "1"}):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **forced}
        done = subprocess.run(
            [sys.executable, "-c", DECODE, path], env=environment, capture_output=True, text=True, check=True
        )
        found.append(done.stdout.strip())
    assert len(set(found)) == 1


def test_luma_of_grey_pictures_is_rounded_in_whole_numbers() -> None:
    """Half up, at ties too, where sums of fractions go either way."""
    pixels = np.array([[[0, 0, 0], [255, 255, 255], [1, 2, 3], [250, 0, 0], [0, 0, 250]]], np.uint8)
    exactly = [(299 * int(r) + 587 * int(g) + 114 * int(b) + 500) // 1000 for r, g, b in pixels[0]]
    assert tiles.to_grey(pixels)[0, :, 0].tolist() == exactly


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_gpu_gives_the_same_pixels(name: str) -> None:
    model = exact_model(ARCHITECTURES[name])
    unit = model.arch.unit // model.arch.scale
    tile = noise(1, 8 * unit, 12 * unit, 3)
    expected = [sha256(TorchCpu(model.rec.module).start(tile, [level])[0]) for level in LEVELS]
    device = torch.device("cuda")
    engine = TorchDevice(model.network.rec.to(device), device)
    assert engine.name == "torch on cuda, exact"
    assert [sha256(engine.finish(engine.start(tile, [level]))[0]) for level in LEVELS] == expected
