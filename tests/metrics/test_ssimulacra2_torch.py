"""The differentiable SSIMULACRA2: the same scores as the package of that name, and true gradients."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from batchcomp.metrics.ssimulacra2_torch import blur, score_of, ssimulacra2_distance, to_linear, to_xyb


def picture(height: int, width: int, seed: int = 0) -> Image.Image:
    """Smooth colours with noise that grows to the right."""
    rng = np.random.default_rng(seed)
    base = Image.fromarray(rng.integers(0, 256, (7, 9, 3), dtype=np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    noise = rng.normal(0, 1, (height, width, 1)) * np.linspace(0, 20, width)[:, None]
    return Image.fromarray(np.clip(np.asarray(base) + noise, 0, 255).astype(np.uint8))


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    """Through a JPEG file."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def as_file(image: Image.Image) -> io.BytesIO:
    """A file that is read back as the same pixels."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    buffer.seek(0)
    return buffer


def tensor(image: Image.Image) -> Tensor:
    """(1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize("size", [(256, 288), (263, 291)])
@pytest.mark.parametrize("quality", [15, 50, 85, 95])
def test_scores_are_those_of_the_package(size: tuple[int, int], quality: int) -> None:
    """Within what the terms left out weigh. Below 256 px the package has five scales, and its weights shift."""
    package = pytest.importorskip("ssimulacra2")
    original = picture(*size)
    worse = as_jpeg(original, quality)
    found = float(score_of(ssimulacra2_distance(tensor(worse), tensor(original)))[0])
    assert found == pytest.approx(package.compute_ssimulacra2(as_file(original), as_file(worse)), abs=0.05)


def test_each_picture_of_a_batch_counts_alone() -> None:
    """A batch gives what its pictures give one by one."""
    original = [tensor(picture(128, 144, seed)) for seed in (1, 2)]
    worse = [tensor(as_jpeg(picture(128, 144, seed), 40)) for seed in (1, 2)]
    alone = [float(ssimulacra2_distance(a, b)) for a, b in zip(worse, original, strict=True)]
    assert ssimulacra2_distance(torch.cat(worse), torch.cat(original)).tolist() == pytest.approx(alone, rel=1e-4)


def test_equal_pictures_are_at_no_distance_and_have_finite_slopes() -> None:
    """The fourth roots would have infinite slopes there."""
    x = tensor(picture(128, 128)).requires_grad_()
    distance = ssimulacra2_distance(x, x.detach())
    distance.sum().backward()
    assert float(distance.detach()) == pytest.approx(0, abs=0.05)
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_the_gradient_is_that_of_differences() -> None:
    """In a random direction, in double precision."""
    original = tensor(picture(128, 128)).double()
    x = tensor(as_jpeg(picture(128, 128), 30)).double().clamp(0.05, 0.95).requires_grad_()
    direction = torch.randn(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    (slope,) = torch.autograd.grad(ssimulacra2_distance(x, original).sum(), x)
    with torch.no_grad():
        up, down = (ssimulacra2_distance(x + sign * 1e-7 * direction, original).sum() for sign in (1, -1))
    assert float((slope * direction).sum()) == pytest.approx(float(up - down) / 2e-7, rel=1e-3)


def test_a_lost_edge_costs_more_than_the_same_error_spread_out() -> None:
    """What is off most counts most."""
    noise = 0.02 * torch.randn(1, 1, 192, 192, generator=torch.Generator().manual_seed(0)).expand(1, 3, -1, -1)
    flat, place = torch.full_like(noise, 0.5), torch.zeros_like(noise)
    place[..., 80:112, 80:112] = 6 * noise[..., 80:112, 80:112]  # a 36th of the area, the same squared error
    everywhere, somewhere = (float(ssimulacra2_distance(flat + error, flat)) for error in (noise, place))
    assert somewhere > everywhere


def test_grey_has_neither_x_nor_b() -> None:
    """In XYB greys differ in Y alone: X is 0 and B equals Y, here with the shifts that make them positive."""
    grey = torch.linspace(0, 1, 11).view(1, 1, 1, -1).expand(1, 3, -1, -1)
    x, y, b = to_xyb(to_linear(grey))[0, :, 0]
    assert x.tolist() == pytest.approx([0.42] * 11, abs=1e-5)
    assert b.tolist() == pytest.approx([0.55] * 11, abs=1e-5)
    assert (y.diff() > 0).all()


def test_blurring_is_mirrored_in_columns_and_fades_at_the_ends_of_rows() -> None:
    """As in the package: a constant keeps its value except at the left and right."""
    found = blur(torch.ones(1, 40, 40))[0]
    assert torch.allclose(found[:, 10:-10], torch.ones(40, 20))
    assert (found[:, 0] < 0.7).all()


@pytest.mark.parametrize("shape", [(1, 3, 127, 300), (3, 200, 200), (1, 1, 200, 200)])
def test_small_sides_and_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    """With the reason."""
    with pytest.raises(ValueError, match=r"128 px|one shape"):
        ssimulacra2_distance(torch.rand(shape), torch.rand(shape))
