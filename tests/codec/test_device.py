"""Which device is taken, and that torch is asked only where there may be one."""

from __future__ import annotations

import sys

import pytest

from batchcomp.codec import device
from batchcomp.codec.device import Device, choose_device
from batchcomp.errors import UsageError


def test_without_a_trace_of_a_gpu_torch_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """That would take a second for nothing."""
    monkeypatch.setattr(device, "may_have_another", lambda: False)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert choose_device("auto") == choose_device("cpu") == Device("cpu")


@pytest.mark.parametrize("there", [[], ["cuda"], ["mps"], ["cuda", "mps"]])
def test_where_there_is_a_trace_torch_decides(monkeypatch: pytest.MonkeyPatch, there: list[str]) -> None:
    """A driver without a device is no device."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(device, "may_have_another", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in there)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in there)
    assert str(choose_device("auto")) == (there[0] if there else "cpu")


def test_a_device_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to ask for instead."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="device cuda: not available on this machine; use --device auto or cpu"):
        choose_device("cuda")
    with pytest.raises(UsageError, match="expected one of auto, cpu, cuda, mps"):
        choose_device("tpu")
