"""The networks as ncnn graphs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from batchcomp.codec.engines.select import choose
from batchcomp.codec.engines.torch import TorchCpu
from batchcomp.codec.networks.jiang2017 import Jiang2017Architecture
from tests.codec.networks.test_jiang2017 import lively, noise

pytest.importorskip("ncnn", reason="needs the extra `fast`")
from batchcomp.codec.engines.ncnn import ncnn_for


def test_winograd_kernels_compute_the_same() -> None:
    """Where ncnn is installed, a fused RecCNN runs through it: the same pixels, or 1 off where rounding was close."""
    net = lively(Jiang2017Architecture(width=16, layers=20)).fused().rec
    engine = choose(net, torch.device("cpu"))
    assert engine.name.startswith("ncnn")
    tile = noise(40, 56)[None]
    expected = TorchCpu(net).start(tile, [1.0])
    assert engine.start(tile, [1.0]).shape == expected.shape
    assert np.abs(engine.start(tile, [1.0]).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("wrong", ["normalised", "of another kind", "disagreeing"])
def test_winograd_kernels_are_used_only_where_they_fit(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    """A net that ncnn would compute otherwise stays with torch."""
    network = lively()
    net = {"normalised": network.rec, "of another kind": network.com, "disagreeing": network.fused().rec}[wrong]
    if wrong == "disagreeing":
        monkeypatch.setattr("batchcomp.codec.engines.ncnn.TOLERANCE", -1.0)
    assert ncnn_for(net) is None
    assert isinstance(choose(net.eval(), torch.device("cpu")), TorchCpu)
