"""What architectures say of their networks without building them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from batchcomp.codec.model import Net
from tests.codec.engines.test_graphs import NETWORKS
from tests.codec.samples import model_of


@pytest.mark.parametrize("name", NETWORKS)
def test_an_architecture_names_every_tensor(name: str) -> None:
    """A model file is held against this before anything is built."""
    network = NETWORKS[name]()
    assert dict(network.arch.tensors) == {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert network.arch.parameters == sum(value.numel() for value in network.state_dict().values())


@pytest.mark.parametrize("name", NETWORKS)
def test_an_architecture_knows_its_largest_output(name: str) -> None:
    """What tiles are sized by: bytes of a convolution's output for each input pixel."""
    model = model_of(NETWORKS[name]())
    assert model.arch.com_bytes == largest_output(model.com)
    assert model.arch.rec_bytes == largest_output(model.rec)


def largest_output(net: Net) -> float:
    side, found = 64, [3 * 4.0]

    def note(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        found.append(output.numel() * 4 / side**2)

    hooks = [one.register_forward_hook(note) for one in net.module.modules() if isinstance(one, nn.Conv2d)]
    with torch.inference_mode():
        net.module(torch.zeros(1, 3, side, side), torch.zeros(1))
    for hook in hooks:
        hook.remove()
    return max(found)
