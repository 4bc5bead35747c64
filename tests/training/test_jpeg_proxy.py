"""The differentiable JPEG."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from batchcomp.codec import jpeg as real_jpeg
from batchcomp.codec.tables import initial_log_tables, tables_at
from batchcomp.training import jpeg_proxy
from tests.training.samples import photo


@pytest.mark.parametrize("coarseness", [0.5, 2.0, 8.0])
def test_the_differentiable_jpeg_is_the_real_one(coarseness: float) -> None:
    """Forward it gives libjpeg's pixels but for integer arithmetic; its bits follow the file's size."""
    pixels = photo(5, 160)
    logs = torch.from_numpy(initial_log_tables(2)).float()
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    decoded, bits = jpeg_proxy.jpeg(x, (logs + math.log(coarseness))[None])
    data = real_jpeg.encode(pixels, tables_at(logs.numpy(), coarseness))
    expected = real_jpeg.decode(data)[0].astype(float)
    ours = decoded[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(ours - expected).mean() < 0.8  # a coefficient near one half may round the other way
    errors = [float(np.square(decoded - pixels).mean()) for decoded in (ours, expected)]
    assert errors[0] == pytest.approx(errors[1], rel=0.03)
    assert 0.6 < float(bits) / (8 * len(data)) < 1.4


def test_gradients_pass_the_differentiable_jpeg() -> None:
    """Pixels and tables both learn from what comes out."""
    x = (torch.from_numpy(photo(1, 64)).permute(2, 0, 1)[None].float() / 255).requires_grad_()
    logs = torch.from_numpy(initial_log_tables(2)).float().requires_grad_()
    decoded, bits = jpeg_proxy.jpeg(x, (logs + math.log(2.0))[None])
    (decoded.square().sum() + bits.sum()).backward()
    for gradient in (x.grad, logs.grad):
        assert gradient is not None
        assert bool(torch.isfinite(gradient).all())
        assert float(gradient.abs().sum()) > 0
