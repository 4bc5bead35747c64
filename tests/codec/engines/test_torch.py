"""Networks through torch on a device."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from batchcomp.codec.engines.torch import HALF_MEAN, TorchCpu, TorchDevice, nearly_equal
from batchcomp.codec.tiles import Runner, TilePlan
from tests.codec.samples import GROWN, moved, noise


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
