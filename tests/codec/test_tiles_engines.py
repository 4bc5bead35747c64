"""Tiles, engines and runners: the same pixels whatever the tiles, threads, batches and order."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F  # noqa: N812

from batchcomp.codec import tiles
from batchcomp.codec.codec import Codec
from batchcomp.codec.engines import select
from batchcomp.codec.engines.base import Tiles, to_floats
from batchcomp.codec.engines.torch import HALF_MEAN, TorchCpu, TorchDevice, nearly_equal
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.networks.residual_shape import ResidualArchitecture
from batchcomp.codec.resample import upscale, upscale_quickly
from batchcomp.codec.tiles import Runner, TilePlan, cut_up, spans
from batchcomp.errors import UsageError
from batchcomp.images.picture import Picture, Pixels
from tests.codec.conftest import tiny_model

pytest.importorskip("ncnn", reason="needs the extra `fast`")
from batchcomp.codec.engines.ncnn import TOLERANCE, ncnn_for

PLAIN = ResidualArchitecture(com_width=16, com_blocks=2, rec_width=16, rec_blocks=1)
GROWN = ResidualArchitecture(
    unshuffle=8, com_width=16, com_blocks=2, rec_width=24, rec_blocks=3, mid_width=8, com_mid_blocks=1,
    rec_mid_blocks=2, gains=True, bands=True, phases=True,
)  # fmt: skip
PHASED = ResidualArchitecture(com_width=16, com_blocks=1, rec_width=16, rec_blocks=1, phases=True)


def moved(arch: ResidualArchitecture, *, seed: int = 0) -> ResidualNetwork:
    """Nets none of whose weights is zero, so that every branch matters."""
    torch.manual_seed(seed)
    network = ResidualNetwork(arch)
    with torch.no_grad():
        for value in network.parameters():
            value.add_(torch.randn_like(value) * 0.02)
    return network.eval().requires_grad_(requires_grad=False)


def noise(*shape: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@given(st.integers(1, 400), st.integers(1, 80), st.integers(0, 40))
def test_spans_cover_every_pixel_once(length: int, tile: int, halo: int) -> None:
    """Inner parts follow each other without a gap; outer parts add the halo and stay inside."""
    cut = list(spans(length, tile, halo))
    assert [s.inner0 for s in cut] == [0, *(s.inner1 for s in cut[:-1])]
    assert cut[-1].inner1 == length
    for span in cut:
        assert 0 <= span.outer0 <= span.inner0 < span.inner1 <= span.outer1 <= length
        assert span.inner1 - span.inner0 <= tile + tile // 4
        assert span.outer0 == max(0, span.inner0 - halo)
        assert span.outer1 == min(length, span.inner1 + halo)


def test_interior_tiles_of_different_pictures_have_one_shape() -> None:
    """That is what fills a device's batches."""
    plan = TilePlan(unit=8, up=1, down=2, halo=16, tile=64)
    shapes = [tile.shape for tile in cut_up([(333, 500), (400, 260)], plan)]
    assert shapes.count((96, 96)) >= 12


def test_tiles_are_as_large_as_memory_allows() -> None:
    """The largest layer of a tile with its halo fits the room; the least side holds where nothing fits."""
    for arch in (PLAIN, GROWN):
        net = moved(arch).com
        a_pixel = select.largest_output(net, torch.device("cpu"))
        assert a_pixel == max(arch.com_width / arch.unshuffle**2, 3) * 4
        side = tiles.side_of(arch.com_halo, a_pixel, least=16)
        assert 0.97 * tiles.ROOM <= (side + 2 * arch.com_halo) ** 2 * a_pixel <= tiles.ROOM
        assert tiles.side_of(100_000, a_pixel, least=16) == 16


@pytest.mark.parametrize("arch", [PLAIN, GROWN, PHASED])
@pytest.mark.parametrize("size", [(10, 14), (9, 7), (24, 1)])  # in units; odd ones shake ncnn's packing
def test_ncnn_computes_what_torch_does(arch: ResidualArchitecture, size: tuple[int, int]) -> None:
    """Both nets, with gains and the middle branch, at several coarsenesses, to far less than a step of 8 bits."""
    network = moved(arch)
    for net, unit in ((network.com, arch.unit), (network.rec, arch.unit // arch.scale)):
        engine = ncnn_for(net)
        assert engine is not None
        tile = torch.from_numpy(noise(1, size[0] * unit, size[1] * unit, 3))
        for log_coarseness in (-1.0, 0.3, 4.0):
            with torch.inference_mode():
                exact = net(to_floats(tile), torch.tensor([log_coarseness]))
                assert float((engine.floats(tile, log_coarseness) - exact).abs().max()) <= TOLERANCE


def test_a_graph_that_is_not_the_network_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that has changed since the graph was written falls back to torch instead of computing wrong pixels."""
    network = moved(PLAIN)
    block = type(network.rec.trunk.body[0])
    assert select.choose(network.rec, torch.device("cpu")).name.startswith("ncnn")
    monkeypatch.setattr(block, "forward", lambda self, x, _gain=None: x + self.first(x))
    assert ncnn_for(network.rec) is None
    assert select.choose(network.rec, torch.device("cpu")).name == "torch"


def test_other_kinds_of_networks_run_on_torch() -> None:
    """What ncnn's graph was not written for is no error."""
    assert select.choose(torch.nn.Conv2d(3, 3, 1), torch.device("cpu")).name == "torch"


def test_without_the_extra_torch_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra changes the speed, and pixels by one step at most."""
    picture = Picture(pixels=noise(90, 130, 3))
    model = tiny_model()
    with_extra = Codec(model).compact([picture], 60)[0].pixels.astype(int)
    monkeypatch.setattr(select.importlib.util, "find_spec", lambda _: None)
    codec = Codec(model)
    assert codec.engine == "torch"
    assert np.abs(codec.compact([picture], 60)[0].pixels - with_extra).max() <= 1


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("size", [(1, 1), (3, 50), (24, 25), (77, 101)])
def test_quick_enlargement_is_torchs(scale: int, size: tuple[int, int]) -> None:
    """Bicubic by banded products equals torch's own, borders and seams between blocks too."""
    x = torch.rand(2, 3, *size)
    assert torch.allclose(upscale_quickly(x, scale), upscale(x, scale), rtol=0, atol=1e-6)


@pytest.mark.parametrize("engine", ["ncnn", "torch"])
def test_tiles_equal_the_whole_picture(engine: str) -> None:
    """Seams and borders differ from the picture run at once by a rounding at most."""
    network = moved(GROWN)
    pixels = noise(203, 331, 3)
    plans = [
        (network.com, {"unit": 16, "up": 1, "down": 2, "halo": GROWN.com_halo}, 48),
        (network.rec, {"unit": 8, "up": 2, "down": 1, "halo": GROWN.rec_halo // 2}, 24),
    ]
    for net, geometry, tile in plans:
        chosen = ncnn_for(net) if engine == "ncnn" else TorchCpu(net)
        assert chosen is not None
        cut, whole = (
            Runner().run(chosen, [pixels], [1.5], TilePlan(**geometry, tile=side))[0] for side in (tile, 4096)
        )
        assert cut.shape == whole.shape
        difference = np.abs(cut.astype(int) - whole)
        assert difference.max() <= 1
        assert difference.mean() < 1e-3


@pytest.mark.parametrize("channels", [1, 3])
def test_threads_company_and_order_change_no_byte(channels: int) -> None:
    """Bit for bit the same alone or among others, first or last, on one thread or three."""
    net = moved(PLAIN).rec
    engine = ncnn_for(net)
    assert engine is not None
    plan = TilePlan(unit=2, up=2, down=1, halo=PLAIN.rec_halo // 2, tile=32)
    pictures = [noise(70, 90, channels), noise(33, 21, 3, seed=1), noise(64, 64, channels, seed=2)]
    levels = [0.0, 1.0, 2.5]
    together = Runner(threads=3).run(engine, pictures, levels, plan)
    backwards = Runner(threads=1).run(engine, pictures[::-1], levels[::-1], plan)[::-1]
    alone = [Runner(threads=2).run(engine, [p], [s], plan)[0] for p, s in zip(pictures, levels, strict=True)]
    for one, two, three in zip(together, backwards, alone, strict=True):
        assert np.array_equal(one, two)
        assert np.array_equal(one, three)


@pytest.mark.parametrize("batch", [1, 2, 5, 64])
def test_device_batches_give_what_single_tiles_give(batch: int) -> None:
    """Batches across pictures, as a GPU gets them, change roundings at most; here on the CPU as the device."""
    net = moved(PLAIN).com
    plan = TilePlan(unit=4, up=1, down=2, halo=PLAIN.com_halo, tile=32)
    pictures = [noise(70, 90, 3), noise(33, 21, 1, seed=1), noise(70, 90, 3, seed=2)]
    device = TorchDevice(net, torch.device("cpu"))
    assert not device.parallel
    found = Runner(batch=batch).run(device, pictures, [0.0, 1.0, 2.0], plan)
    exact = Runner().run(TorchCpu(net), pictures, [0.0, 1.0, 2.0], plan)
    for one, two in zip(found, exact, strict=True):
        assert np.abs(one.astype(int) - two).max() <= 1


class SmallDevice:
    """Doubles pixels' values; its memory holds so many tiles."""

    name, parallel = "small", False

    def __init__(self, most: int) -> None:
        self.most = most
        self.batches: list[int] = []

    def start(self, batch: Tiles, _log_coarsenesses: Sequence[float]) -> Any:
        if len(batch) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.batches.append(len(batch))
        return batch * 2

    def finish(self, begun: Any) -> Tiles:
        return np.asarray(begun)


def test_too_little_memory_halves_the_batch_and_goes_on() -> None:
    """Every tile still gets its answer, and later work starts with what fitted."""
    device, runner, pixels = SmallDevice(most=3), Runner(batch=16), noise(160, 96, 3) // 2
    plan = TilePlan(unit=1, up=1, down=1, halo=0, tile=32)
    assert np.array_equal(runner.run(device, [pixels], [0.0], plan)[0], pixels * 2)
    assert runner.batch == 2
    assert max(device.batches) == 2
    assert sum(device.batches) == 15


def test_a_device_that_holds_no_tile_is_a_clear_error() -> None:
    """The message says what to do."""
    plan = TilePlan(unit=1, up=1, down=1, halo=0, tile=32)
    with pytest.raises(UsageError, match="--device cpu"):
        Runner(batch=4).run(SmallDevice(most=0), [noise(64, 64, 3)], [0.0], plan)


def test_half_precision_is_kept_only_where_its_pixels_are_as_good() -> None:
    """One step here and there passes; two steps anywhere, or one step often, do not."""
    exact = torch.full((1, 40, 40, 3), 100, dtype=torch.uint8)
    few, far, many = exact.clone(), exact.clone(), exact.clone()
    few[0, :2, :2] += 1
    far[0, 0, 0] += 2
    many[0, : round(40 * HALF_MEAN * 3)] += 1
    assert nearly_equal(few, exact)
    assert not nearly_equal(far, exact)
    assert not nearly_equal(many, exact)


def test_a_codec_travels_to_other_processes() -> None:
    """Engines stay behind and are built again; the pixels are the same."""
    codec, picture = Codec(tiny_model()), Picture(pixels=noise(40, 40, 3))
    before = codec.compress(picture, 50)
    assert pickle.loads(pickle.dumps(codec)).compress(picture, 50) == before  # noqa: S301


def test_the_padding_repeats_the_border() -> None:
    """A picture whose sides are no multiples of the unit is continued by its last row and column."""
    pixels = noise(13, 21, 3)
    plan = TilePlan(unit=8, up=1, down=1, halo=8, tile=16)
    seen = {}

    class Keep(SmallDevice):
        def start(self, batch: Tiles, log_coarsenesses: Sequence[float]) -> Any:
            seen[batch.shape] = batch.copy()
            return super().start(batch, log_coarsenesses)

    Runner().run(Keep(most=99), [pixels], [0.0], plan)
    padded = F.pad(torch.from_numpy(pixels).permute(2, 0, 1)[None].float(), [0, 3, 0, 3], mode="replicate")
    whole = padded[0].permute(1, 2, 0).byte().numpy()
    assert any(np.array_equal(batch[0], whole) for batch in seen.values())


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_in_half_precision_is_within_a_step_of_the_cpu() -> None:
    """Pinned copies, asynchronous batches and float16 end in the CPU's pixels, give or take one."""
    network = moved(GROWN)
    plan = TilePlan(unit=16, up=1, down=2, halo=GROWN.com_halo, tile=64)
    pictures = [noise(300, 420, 3), noise(200, 210, 3, seed=1)]
    exact = Runner().run(TorchCpu(network.com), pictures, [1.0, 2.0], plan)
    cuda = torch.device("cuda")
    device = TorchDevice(network.placed(cuda).com, cuda)
    for batch in (1, 7):
        for one, two in zip(Runner(batch=batch).run(device, pictures, [1.0, 2.0], plan), exact, strict=True):
            assert np.abs(one.astype(int) - two).max() <= 1
