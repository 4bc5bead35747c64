"""What a model file says of the steered family's nets, and what follows from it: parameters, receptive fields, cost."""

from __future__ import annotations

from dataclasses import dataclass

from batchcomp.codec.networks.residual_shape import BLOCK, MAX_BLOCKS, MAX_WIDTH
from batchcomp.codec.networks.shape import (
    FLOAT,
    SLOPES,
    TABLES,
    Tensors,
    block_tensors,
    conv_tensors,
    counted,
    gain_tensors,
)

SCALE = 2  # sides of the original over those of the compact picture
UNSHUFFLE = 4  # the renderer works at 1 / UNSHUFFLE of the original's resolution, the body at half of that
HALVING = 2  # from the renderer's resolution to the body's
PERIOD = BLOCK * SCALE // UNSHUFFLE  # sides of a JPEG block in pixels of the renderer's resolution
KERNELS = (1, 3)
MAX_SCALE = 4.0  # of a rendered channel


@dataclass(frozen=True, kw_only=True)
class SteeredArchitecture:
    """What a model file must say for its nets to be built again.

    `width` channels in the renderers at 1/4 of the original's resolution, `body_width` in the bodies at 1/8;
    `render_kernel` is the size of the second convolution in a render block, 1 or 3.
    """

    width: int = 32
    body_width: int = 64
    com_blocks: int = 1
    rec_blocks: int = 1
    com_render_blocks: int = 1
    rec_render_blocks: int = 2
    render_kernel: int = 3

    def __post_init__(self) -> None:
        """Raise ValueError where the numbers build no network, or one that no picture needs."""
        values = vars(self)
        least = {"com_render_blocks": 0, "rec_render_blocks": 0}
        if any(type(value) is not int or value < least.get(key, 1) for key, value in values.items()):
            raise ValueError(f"{values}: expected whole numbers from 1 on, render blocks from 0 on")
        if self.render_kernel not in KERNELS:
            raise ValueError(f"render kernel {self.render_kernel}: expected one of {KERNELS}")
        blocks = [value for key, value in values.items() if key.endswith("blocks")]
        if max(self.width, self.body_width) > MAX_WIDTH or max(blocks) > MAX_BLOCKS:
            raise ValueError(f"{values}: at most {MAX_WIDTH} channels and {MAX_BLOCKS} blocks")

    @property
    def com(self) -> SteeredShape:
        """ComCNN's trunk: photo in, compact residual out."""
        return SteeredShape(
            unshuffle=UNSHUFFLE,
            shuffle=UNSHUFFLE // SCALE,
            width=self.width,
            body_width=self.body_width,
            blocks=self.com_blocks,
            render_blocks=self.com_render_blocks,
            render_kernel=self.render_kernel,
        )

    @property
    def rec(self) -> SteeredShape:
        """RecCNN's trunk: compact picture in, the photo's residual out."""
        return SteeredShape(
            unshuffle=UNSHUFFLE // SCALE,
            shuffle=UNSHUFFLE,
            width=self.width,
            body_width=self.body_width,
            blocks=self.rec_blocks,
            render_blocks=self.rec_render_blocks,
            render_kernel=self.render_kernel,
        )

    @property
    def scale(self) -> int:
        """Sides of the original over those of the compact picture."""
        return SCALE

    @property
    def unit(self) -> int:
        """Sides of the original that the nets take are multiples of this: whole JPEG blocks."""
        return BLOCK * SCALE

    @property
    def parameters(self) -> int:
        """Weights and biases of both nets, and the tables' entries."""
        return counted(self.tensors)

    @property
    def tensors(self) -> Tensors:
        """Every tensor of the model file."""
        return {**self.com.tensors("com.trunk"), **self.rec.tensors("rec.trunk"), **TABLES, **SLOPES}

    @property
    def com_bytes(self) -> float:
        """Bytes of the largest output of a convolution of ComCNN for each of its input pixels."""
        return self.com.largest_output

    @property
    def rec_bytes(self) -> float:
        """Likewise of RecCNN."""
        return self.rec.largest_output

    @property
    def com_halo(self) -> int:
        """Receptive-field radius of ComCNN in original pixels, a multiple of `unit`."""
        return -(-UNSHUFFLE * self.com.reach // self.unit) * self.unit

    @property
    def rec_halo(self) -> int:
        """Receptive-field radius of RecCNN in original pixels, a multiple of `unit`."""
        return -(-UNSHUFFLE * self.rec.reach // self.unit) * self.unit


@dataclass(frozen=True, kw_only=True)
class ConvLayer:
    """A convolution of stride 1 at 1 / `downscaling` of the original's resolution."""

    channels_in: int
    channels_out: int
    kernel: int
    downscaling: int

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return (self.kernel**2 * self.channels_in + 1) * self.channels_out

    @property
    def macs(self) -> float:
        """Multiply-accumulates for a pixel of the original."""
        return self.kernel**2 * self.channels_in * self.channels_out / self.downscaling**2


@dataclass(frozen=True, kw_only=True)
class SteeredShape:
    """The shape of one `SteeredTrunk`."""

    unshuffle: int
    shuffle: int
    width: int
    body_width: int
    blocks: int
    render_blocks: int
    render_kernel: int

    @property
    def planes(self) -> int:
        """Input channels: the unshuffled picture, the coarseness, and rows and columns of the block's grid."""
        return 3 * self.unshuffle**2 + 1 + 2 * PERIOD

    @property
    def layers(self) -> list[ConvLayer]:
        """Every convolution."""
        width, body, low = self.width, self.body_width, UNSHUFFLE * HALVING
        inner = ConvLayer(channels_in=body, channels_out=body, kernel=3, downscaling=low)
        steering = ConvLayer(channels_in=body, channels_out=HALVING**2 * width, kernel=1, downscaling=low)
        block = [
            ConvLayer(channels_in=width, channels_out=width, kernel=kernel, downscaling=UNSHUFFLE)
            for kernel in (3, self.render_kernel)
        ]
        return [
            ConvLayer(channels_in=self.planes, channels_out=width, kernel=3, downscaling=UNSHUFFLE),
            ConvLayer(channels_in=HALVING**2 * width, channels_out=body, kernel=1, downscaling=low),
            *[inner] * (2 * self.blocks),
            steering,
            steering,
            *block * self.render_blocks,
            ConvLayer(channels_in=width, channels_out=3 * self.shuffle**2, kernel=3, downscaling=UNSHUFFLE),
        ]

    def tensors(self, name: str) -> dict[str, tuple[int, ...]]:
        """Every tensor of the trunk `name`."""
        width, body, wide = self.width, self.body_width, HALVING**2 * self.width
        found = conv_tensors(f"{name}.head", self.planes, width, 3) | conv_tensors(f"{name}.down", wide, body, 1)
        for number in range(self.blocks):
            found |= block_tensors(f"{name}.body.{number}", body)
        found |= gain_tensors(f"{name}.gains", self.blocks * body)
        found |= conv_tensors(f"{name}.scale", body, wide, 1) | conv_tensors(f"{name}.shift", body, wide, 1)
        for number in range(self.render_blocks):
            found |= block_tensors(f"{name}.render.{number}", width, second=self.render_kernel)
        return found | conv_tensors(f"{name}.tail", width, 3 * self.shuffle**2, 3)

    @property
    def largest_output(self) -> float:
        """Bytes of the largest output of a convolution for each pixel of the trunk's input picture."""
        at_renderer = max(layer.channels_out * (UNSHUFFLE / layer.downscaling) ** 2 for layer in self.layers)
        return FLOAT * max(3, at_renderer / self.unshuffle**2)

    @property
    def macs(self) -> float:
        """Multiply-accumulates of the convolutions for a pixel of the original."""
        return sum(layer.macs for layer in self.layers)

    @property
    def reach(self) -> int:
        """Receptive-field radius in pixels of the renderer's resolution."""
        ends = 2
        body = HALVING * 2 * self.blocks + 1  # a place of the body is two of the renderer's: one may lie beyond
        return ends + body + self.render_blocks * (1 + self.render_kernel // 2)


def kmacs(arch: SteeredArchitecture) -> tuple[float, float]:
    """Thousands of multiply-accumulates for a pixel of the original, of ComCNN and of RecCNN."""
    return arch.com.macs / 1000, arch.rec.macs / 1000
