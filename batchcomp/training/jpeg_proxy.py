"""A JPEG that gradients pass through, and an estimate of the bytes it would take.

Forward, it is the real codec but for the rounding inside libjpeg's integer DCT: YCbCr, 8x8 DCT, quantisation as
`codec.rdoq` does it, back.
Backward, rounding counts as the identity (straight-through estimator, Bengio et al. 2013, arXiv 1308.3432).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from batchcomp.codec.dct import RGB_TO_YCC, YCC_TO_RGB, ZIGZAG
from batchcomp.codec.rdoq import quantise
from batchcomp.training.rdoq_torch import quantiser

# Bits of progressive files with optimised scans, fitted by non-negative least squares to 240 real files of 60 photos
# at ten qualities: standard error 3 % a file, no drift over the qualities.
BITS_PER_OCTAVE = (1.03, 0.40)  # of 1 + (2c)^2, for the lowest AC diagonal and for the highest
BITS_NONZERO = (1.10, 3.20)  # for a coefficient that is not zero, likewise
BITS_DC = 0.75  # per octave of 1 + (2d)^2, d the difference from the block before
BITS_BLOCK = 1.0  # per octave of 1 + 4 * AC energy of a luma block


def round_through(x: Tensor) -> Tensor:
    """Round; the gradient passes as if it had not happened."""
    return x + (torch.round(x) - x).detach()


def quantise_through(coefficients: Tensor) -> Tensor:
    """Quantise (B, 3, N, 64) in steps as the encoder does; the gradient passes as if it had not happened."""
    if coefficients.device.type != "cpu":
        return coefficients + (quantiser(coefficients.device).natural(coefficients.detach()) - coefficients).detach()
    scaled = coefficients.detach().numpy()[..., ZIGZAG]
    whole = np.empty_like(scaled)
    for picture, plane in np.ndindex(scaled.shape[:2]):
        whole[picture, plane][:, ZIGZAG] = quantise(scaled[picture, plane])
    return coefficients + (torch.from_numpy(whole) - coefficients).detach()


@lru_cache(maxsize=16)
def constant(values: tuple[Any, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Numbers that never change, on a device: copied there once, because a GPU waits for the host meanwhile."""
    return torch.tensor(values, dtype=dtype, device=device)


@lru_cache(maxsize=4)
def dct_matrix(device: torch.device) -> Tensor:
    """The 8x8 two-dimensional DCT-II as one orthonormal matrix (64, 64) on flattened blocks."""
    k, n = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    basis = torch.cos((2 * n + 1) * k * math.pi / 16) * math.sqrt(2 / 8)
    basis[0] /= math.sqrt(2)
    return torch.kron(basis, basis).to(device)


def to_blocks(planes: Tensor) -> Tensor:
    """(B, C, H, W) with sides multiples of 8 -> (B, C, H/8 * W/8, 64)."""
    b, c, h, w = planes.shape
    return planes.view(b, c, h // 8, 8, w // 8, 8).transpose(3, 4).reshape(b, c, -1, 64)


def from_blocks(blocks: Tensor, height: int, width: int) -> Tensor:
    """Inverse of `to_blocks`."""
    b, c = blocks.shape[:2]
    return blocks.view(b, c, height // 8, width // 8, 8, 8).transpose(3, 4).reshape(b, c, height, width)


def integer_tables(log_tables: Tensor) -> Tensor:
    """Tables (B, 3, 1, 64) from logarithms (B, 2, 8, 8): luma, chroma, chroma; 1..255, straight-through."""
    tables = torch.exp(log_tables).view(-1, 2, 1, 64)
    tables = round_through(tables.clamp(1, 255))
    return torch.cat([tables, tables[:, 1:]], dim=1)


def colour(planes: Tensor, matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    """Apply a 3x3 colour matrix to (B, 3, H, W)."""
    return torch.einsum("oc,bchw->bohw", constant(matrix, planes.dtype, planes.device), planes)


def jpeg(compact: Tensor, log_tables: Tensor) -> tuple[Tensor, Tensor]:
    """Encode and decode `compact` (B, 3, h, w), nominally in [0, 1], sides multiples of 8, as 4:4:4 JPEG.

    Args:
        compact: the pictures.
        log_tables: natural logarithms (B, 2, 8, 8) of each picture's luma and chroma tables.

    Returns:
        The decoded picture (B, 3, h, w) in [0, 1] on the 8-bit grid, and the estimated bits per picture (B,).
    """
    height, width = compact.shape[2:]
    pixels = round_through(compact.clamp(0, 1) * 255)
    ycc = round_through(colour(pixels, RGB_TO_YCC))  # chroma is centred on 0 here, luma is brought there next
    middle = constant((128.0, 0.0, 0.0), ycc.dtype, ycc.device).view(1, 3, 1, 1)
    centred = ycc - middle
    tables, dct = integer_tables(log_tables), dct_matrix(compact.device)
    coefficients = to_blocks(centred) @ dct.T / tables  # (B, 3, N, 64) in quantisation steps
    decoded = from_blocks((quantise_through(coefficients) * tables) @ dct, height, width)
    decoded = round_through(decoded)
    rgb = colour(decoded + middle, YCC_TO_RGB)
    return round_through(rgb.clamp(0, 255)) / 255, estimated_bits(coefficients, width // 8)


def octaves(squares: Tensor) -> Tensor:
    """log2(1 + squares)."""
    return torch.log1p(squares) / math.log(2)


@lru_cache(maxsize=4)
def frequency_weights(device: torch.device) -> tuple[Tensor, Tensor]:
    """Bits per octave and per non-zero for the 63 AC coefficients, (63,) each; linear in the diagonal, to the 10th."""
    diagonal = (torch.arange(8).view(8, 1) + torch.arange(8)).flatten()[1:].clamp(max=10)
    position = diagonal / 10.0

    def between(ends: tuple[float, float]) -> Tensor:
        return (ends[0] + (ends[1] - ends[0]) * position).to(device)

    return between(BITS_PER_OCTAVE), between(BITS_NONZERO)


def estimated_bits(coefficients: Tensor, columns: int) -> Tensor:
    """Bits (B,) for coefficients (B, 3, N, 64) in quantisation steps, before rounding; `columns` blocks a row.

    A smooth model of what progressive Huffman coding does: a coefficient costs its magnitude, and being non-zero at
    all, the more so the higher its frequency (runs of zeros break); DC is coded as a difference; a block costs once.
    """
    ac, dc = coefficients[..., 1:], coefficients[..., 0]
    per_octave, per_nonzero = frequency_weights(coefficients.device)
    squares = ac.square()
    bits = (octaves(4 * squares) * per_octave).sum(dim=(1, 2, 3))
    bits = bits + ((1 - torch.exp(-2 * squares)) * per_nonzero).sum(dim=(1, 2, 3))
    bits = bits + BITS_BLOCK * octaves(4 * squares[:, 0].sum(dim=-1)).sum(dim=1)
    grid = dc.view(*dc.shape[:2], -1, columns)  # (B, 3, rows, columns)
    across = grid[..., 1:] - grid[..., :-1]
    down = grid[:, :, 1:, 0] - grid[:, :, :-1, 0]
    differences = torch.cat([across.flatten(2), down], dim=2)
    return bits + BITS_DC * octaves((2 * differences).square()).sum(dim=(1, 2))
