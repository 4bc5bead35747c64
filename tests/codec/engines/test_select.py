"""Which engine runs a network."""

from __future__ import annotations

import pickle
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from batchcomp.codec.bicubic import bicubic_model
from batchcomp.codec.codec import Codec
from batchcomp.codec.device import Device
from batchcomp.codec.engines import select
from batchcomp.codec.engines.base import Engine
from batchcomp.codec.model import Net
from batchcomp.images.picture import Picture
from tests.codec.conftest import tiny_model
from tests.codec.samples import noise


def test_other_kinds_of_networks_run_on_torch() -> None:
    """What ncnn's graph was not written for is no error."""
    assert select.choose(bicubic_model().com, Device("cpu")).name == "torch"


def test_without_ncnn_torch_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine changes the speed, and pixels by one step at most."""
    picture = Picture(pixels=noise(90, 130, 3))
    model = tiny_model()
    with_ncnn = Codec(model).compact([picture], 60)[0].pixels.astype(int)
    monkeypatch.setattr(select.importlib.util, "find_spec", lambda _: None)
    codec = Codec(model)
    assert codec.engine == "torch"
    assert np.abs(codec.compact([picture], 60)[0].pixels - with_ncnn).max() <= 1


def test_a_codec_travels_to_other_processes() -> None:
    """Engines stay behind and are built again; the pixels are the same."""
    codec, picture = Codec(tiny_model()), Picture(pixels=noise(40, 40, 3))
    before = codec.compress(picture, 50)
    assert pickle.loads(pickle.dumps(codec)).compress(picture, 50) == before  # noqa: S301


def test_no_engine_is_left_half_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process waits for engines that are being built: native code that loses its threads aborts."""
    go, nets = threading.Event(), [SimpleNamespace(model=object(), role="rec") for _ in range(2)]
    monkeypatch.setattr(select, "choose", lambda _net, _device: go.wait(20))
    engines = select.EngineCache(Device("cpu"))
    engines.prepare(*nets)  # type: ignore[arg-type]
    builders = [thread for thread in threading.enumerate() if thread.name == "engine"]
    assert [thread.daemon for thread in builders] == [False, False]
    go.set()
    assert all(engines.of(net) is True for net in nets)  # type: ignore[arg-type, comparison-overlap]


def test_an_engine_that_cannot_be_built_is_told_by_whoever_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The thread that tries it in advance says nothing."""

    def fail(_net: object, _device: object) -> None:
        raise MemoryError

    monkeypatch.setattr(select, "choose", fail)
    engines, net = select.EngineCache(Device("cpu")), SimpleNamespace(model=object(), role="rec")
    engines.prepare(net)  # type: ignore[arg-type]
    for thread in threading.enumerate():
        if thread.name == "engine":
            thread.join()
    with pytest.raises(MemoryError):
        engines.of(net)  # type: ignore[arg-type]
    assert capsys.readouterr().err == ""


def test_engines_are_built_ahead_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was begun in threads is what is used later."""
    built: list[str] = []
    choose = select.choose

    def noted(net: Net, device: Device) -> Engine:
        built.append(net.role)
        return choose(net, device)

    monkeypatch.setattr(select, "choose", noted)
    codec = Codec(tiny_model())
    codec.prepare(restores=True)
    codec.restore(codec.compress(Picture(pixels=noise(40, 40, 3)), 50))
    assert sorted(built) == ["com", "rec"]
