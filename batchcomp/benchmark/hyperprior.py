"""The decoder of a learned codec of the usual size, to time beside ours: the synthesis of the scale hyperprior.

Balle, Minnen, Singh, Hwang, Johnston 2018, "Variational image compression with a scale hyperprior", arXiv 1802.01436:
four transposed 5x5 convolutions of stride 2 with inverse generalised divisive normalisation (IGDN, arXiv 1511.06281)
between them, N = 128 channels, M = 192 in the latents. Its speed does not depend on its weights, so they are random;
entropy decoding and the hyper-decoder, which a real decoder needs too, are left out in its favour.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name every torch reader expects)

N, M = 128, 192
STRIDE = 16  # pixels a latent


class Igdn(nn.Module):
    """x * sqrt(beta + gamma x^2), gamma a full matrix over channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.ones(channels))
        self.gamma = nn.Parameter(0.1 * torch.eye(channels).view(channels, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * F.conv2d(x * x, self.gamma, self.beta).sqrt_()


def synthesis() -> nn.Module:
    """Return the transform (B, 192, h, w) -> (B, 3, 16 h, 16 w), ready for inference, in channels_last layout."""

    def grow(channels_in: int, channels_out: int) -> nn.Module:
        return nn.ConvTranspose2d(channels_in, channels_out, 5, stride=2, padding=2, output_padding=1)

    net = nn.Sequential(grow(M, N), Igdn(N), grow(N, N), Igdn(N), grow(N, N), Igdn(N), grow(N, 3))
    return net.eval().requires_grad_(requires_grad=False).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def macs_per_pixel() -> float:
    """Multiplications a pixel of the picture: 42.2 thousand; publications count 43."""
    deconvolutions = 25 / 4 * (M * N / 64 + N * N / 16 + N * N / 4 + N * 3)
    return deconvolutions + N * N * (1 / 64 + 1 / 16 + 1 / 4)
