"""Tiles and runners: the same pixels whatever the tiles, threads, batches and order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F  # noqa: N812

from batchcomp.codec import tiles
from batchcomp.codec.device import Device
from batchcomp.codec.engines import select
from batchcomp.codec.engines.base import DeviceMemoryError, Tiles
from batchcomp.codec.engines.torch import TorchCpu, TorchDevice
from batchcomp.codec.tiles import Runner, TilePlan, cut_up, spans
from batchcomp.errors import UsageError
from tests.codec.samples import GROWN, PLAIN, model_of, moved, noise


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
        a_pixel = arch.com_bytes
        assert a_pixel == max(arch.com_width / arch.unshuffle**2, 3) * 4
        side = tiles.side_of(arch.com_halo, a_pixel, least=16)
        assert 0.97 * tiles.ROOM <= (side + 2 * arch.com_halo) ** 2 * a_pixel <= tiles.ROOM
        assert tiles.side_of(100_000, a_pixel, least=16) == 16


@pytest.mark.parametrize("engine", ["fastest", "torch"])
def test_tiles_equal_the_whole_picture(engine: str) -> None:
    """Seams and borders differ from the picture run at once by a rounding at most."""
    model = model_of(moved(GROWN))
    pixels = noise(203, 331, 3)
    plans = [
        (model.com, {"unit": 16, "up": 1, "down": 2, "halo": GROWN.com_halo}, 48),
        (model.rec, {"unit": 8, "up": 2, "down": 1, "halo": GROWN.rec_halo // 2}, 24),
    ]
    for net, geometry, tile in plans:
        chosen = select.choose(net, Device("cpu")) if engine == "fastest" else TorchCpu(net.module)
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
    engine = select.choose(model_of(moved(PLAIN)).rec, Device("cpu"))
    plan = TilePlan(unit=2, up=2, down=1, halo=PLAIN.rec_halo // 2, tile=32)
    pictures = [noise(70, 90, channels), noise(33, 21, 3, seed=1), noise(64, 64, channels, seed=2)]
    levels = [0.0, 1.0, 2.5]
    together = Runner(threads=3).run(engine, pictures, levels, plan)
    backwards = Runner(threads=1).run(engine, pictures[::-1], levels[::-1], plan)[::-1]
    alone = [Runner(threads=2).run(engine, [p], [s], plan)[0] for p, s in zip(pictures, levels, strict=True)]
    for one, two, three in zip(together, backwards, alone, strict=True):
        assert np.array_equal(one, two)
        assert np.array_equal(one, three)


@pytest.mark.parametrize("threads", [1, 3])
def test_rows_that_were_passed_are_not_read_again(threads: int) -> None:
    """They may be overwritten at once; in the end all were passed, picture by picture."""
    engine = select.choose(model_of(moved(PLAIN)).rec, Device("cpu"))
    plan = TilePlan(unit=2, up=2, down=1, halo=PLAIN.rec_halo // 2, tile=32)
    pictures = [noise(170, 90, 3), noise(33, 21, 1, seed=1)]
    expected = Runner(threads=threads).run(engine, pictures, [0.0, 1.0], plan)
    told: list[tuple[int, int]] = []

    def passed(number: int, rows: int) -> None:
        pictures[number][:rows] = 0
        told.append((number, rows))

    found = Runner(threads=threads).run(engine, pictures, [0.0, 1.0], plan, passed=passed)
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))
    assert told == sorted(told)
    assert len(set(told)) > 3
    assert {(0, 170), (1, 33)} < set(told)


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

    @staticmethod
    def begin_thread() -> None: ...

    @staticmethod
    def rest() -> None: ...

    def start(self, batch: Tiles, _log_coarsenesses: Sequence[float]) -> Any:
        if len(batch) > self.most:
            raise DeviceMemoryError("CUDA out of memory")
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


class RestingEngine(SmallDevice):
    """Computes tile by tile; counts its rests, and does something else during the first tile."""

    parallel = True

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__(most=1)
        self.rests, self._meanwhile = 0, meanwhile

    def rest(self) -> None:  # type: ignore[override]
        self.rests += 1

    def start(self, batch: Tiles, log_coarsenesses: Sequence[float]) -> Any:
        if not self.batches:
            self._meanwhile()
        return super().start(batch, log_coarsenesses)


@pytest.mark.parametrize(("count", "rests"), [(tiles.MANY - 1, 0), (tiles.MANY, 1)])
def test_an_engine_rests_after_many_tiles(count: int, rests: int) -> None:
    """A small picture's memory is kept for the next one; a large one's goes while other stages work."""
    plan = TilePlan(unit=1, up=1, down=1, halo=0, tile=32)
    engine = RestingEngine()
    Runner(threads=1).run(engine, [noise(count * 32, 32, 3)], [0.0], plan)
    assert engine.rests == rests


def test_no_engine_rests_while_another_picture_is_computed() -> None:
    """What is needed at once would only be new to the system."""
    plan = TilePlan(unit=1, up=1, down=1, halo=0, tile=32)
    runner, other = Runner(threads=1), RestingEngine()

    def meanwhile() -> None:
        runner.threads = 2  # threads of their own: the first ones wait here
        runner.run(other, [noise(tiles.MANY * 32, 32, 3)], [0.0], plan)

    engine = RestingEngine(meanwhile)
    runner.run(engine, [noise(tiles.MANY * 32, 32, 3)], [0.0], plan)
    assert (other.rests, engine.rests) == (0, 1)
