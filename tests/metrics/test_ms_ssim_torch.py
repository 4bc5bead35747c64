"""The training MS-SSIM: pytorch_msssim's values and gradients."""

from __future__ import annotations

import numpy as np
import pytest
import pytorch_msssim
import torch
from torch import Tensor

from batchcomp.metrics.ms_ssim_torch import _MeanTerm, ms_ssim_batch
from tests.metrics.pictures import nearly_flat


def pair(*shape: int) -> tuple[Tensor, Tensor]:
    """Return blurred noise and a damaged copy, float in [0, 1]."""
    generator = torch.Generator().manual_seed(0)
    x = torch.nn.functional.avg_pool2d(torch.rand(shape, generator=generator), 7, 1, 3)
    return x, (x + 0.05 * torch.randn(shape, generator=generator)).clamp(0, 1)


def gradients(value: Tensor, *inputs: Tensor) -> list[Tensor]:
    weights = torch.arange(1, len(value) + 1, dtype=value.dtype)  # another for each picture
    return list(torch.autograd.grad((value * weights).sum(), inputs))


SHAPES = [(2, 3, 161, 163), (2, 3, 192, 192), (1, 1, 176, 201)]


@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients_equal_the_reference(shape: tuple[int, ...]) -> None:
    """Both arguments' gradients, per picture; double precision leaves only the reference's single-precision window."""
    x, y = (side.double().requires_grad_() for side in pair(*shape))
    expected, found = pytorch_msssim.ms_ssim(x, y, data_range=1, size_average=False), ms_ssim_batch(x, y)
    torch.testing.assert_close(found, expected, rtol=0, atol=5e-6)
    for own, other in zip(gradients(found, x, y), gradients(expected, x, y), strict=True):
        torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-5 * float(other.abs().max()))


def test_single_precision_is_close_enough() -> None:
    """Float32 is within 1e-5 of double precision."""
    x, y = pair(2, 3, 192, 192)
    expected = ms_ssim_batch(x.double(), y.double()).float()
    torch.testing.assert_close(ms_ssim_batch(x, y), expected, rtol=0, atol=1e-5)


def test_memory_format_does_not_matter() -> None:
    """Channels-last pictures give the same value to the bit."""
    x, y = pair(2, 3, 180, 176)
    assert torch.equal(ms_ssim_batch(x.contiguous(memory_format=torch.channels_last), y), ms_ssim_batch(x, y))


def test_no_work_for_the_gradient_that_nobody_wants() -> None:
    """The reference gets a gradient only where it needs one."""
    x, y = pair(1, 3, 176, 176)
    x.requires_grad_()
    ms_ssim_batch(x, y).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert y.grad is None


def test_works_after_use_in_inference_mode() -> None:
    """Window matrices are kept; those made without autograd must serve training too."""
    x, y = pair(1, 3, 165, 165)
    with torch.inference_mode():
        ms_ssim_batch(x, y)
    x.requires_grad_()
    ms_ssim_batch(x, y).sum().backward()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("with_luminance", [False, True])
def test_handwritten_gradient_against_finite_differences(with_luminance: bool) -> None:
    """The backward pass is the derivative of the forward pass, with and without the luminance."""
    x, y = (torch.rand(14, 2, 13, dtype=torch.float64).requires_grad_() for _ in range(2))
    assert torch.autograd.gradcheck(lambda a, b: _MeanTerm.apply(a, b, with_luminance), (x, y))


@pytest.mark.parametrize("shape", [(1, 3, 160, 300), (3, 200, 200)])
def test_small_sides_and_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    """Sides below 161 px and other shapes are an error that names what is expected."""
    with pytest.raises(ValueError, match=r"161 px|one shape"):
        ms_ssim_batch(torch.rand(shape), torch.rand(shape))


@pytest.mark.parametrize("level", [1, 100, 200, 254, 255])
def test_nearly_flat_pictures_are_at_most_alike(level: int) -> None:
    """Rounding does not make a blank scan more than equal to another, nor does it change the value."""
    x = nearly_flat(level)
    for y in (np.full_like(x, level), np.full_like(x, level - 1), x):
        first, second = (torch.tensor(side).permute(2, 0, 1)[None].double() / 255 for side in (x, y))
        found = float(ms_ssim_batch(first.float(), second.float()))
        assert found <= 1
        assert found == pytest.approx(float(pytorch_msssim.ms_ssim(first, second, data_range=1)), abs=1e-6)
