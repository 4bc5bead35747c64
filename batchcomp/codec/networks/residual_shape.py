"""What a model file says of the residual family's nets, and what follows from it: parameters, receptive fields."""

from __future__ import annotations

from dataclasses import dataclass

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

SCALES, UNSHUFFLES = (1, 2, 4), (1, 2, 4, 8, 16, 32)
MAX_WIDTH, MAX_BLOCKS = 512, 64
EXACT_SCALES = (1, 2)  # by which enlarging is exact
BLOCK = 8  # sides of a JPEG block in pixels of the compact picture


@dataclass(frozen=True, kw_only=True)
class ResidualArchitecture:
    """What a model file must say for its nets to be built again.

    `unshuffle` is the trunk's working resolution: it sees 1/unshuffle of the original's width and height. With a
    `mid_width`, a branch of that many channels at half that resolution joins in the middle of each trunk. `gains` makes
    every block's strength depend on the coarseness, `bands` the shape of the quantisation tables. With `phases` both
    nets know where they are in the JPEG's grid of 8x8 blocks, which a convolution cannot find out by itself.
    With `exact` RecCNN computes in whole numbers (`networks.exact`): restored pixels are the same on every machine.
    """

    scale: int = 2
    unshuffle: int = 4
    com_width: int = 64
    com_blocks: int = 3
    rec_width: int = 64
    rec_blocks: int = 5
    mid_width: int = 0
    com_mid_blocks: int = 0
    rec_mid_blocks: int = 0
    gains: bool = False
    bands: bool = False
    phases: bool = False
    exact: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError where the numbers build no network, or one that no picture needs."""
        values = vars(self)
        flags = {"gains", "bands", "phases", "exact"}
        optional = {"mid_width", "com_mid_blocks", "rec_mid_blocks"}
        if any(type(values[key]) is not bool for key in flags):
            raise ValueError(f"{values}: expected true or false for {', '.join(sorted(flags))}")
        if any(type(v) is not int or v < (key not in optional) for key, v in values.items() if key not in flags):
            raise ValueError(f"{values}: expected whole numbers from 1 on")
        if self.scale not in SCALES or self.unshuffle not in UNSHUFFLES or self.unshuffle < self.scale:
            given = f"scale {self.scale} with unshuffle {self.unshuffle}"
            raise ValueError(f"{given}: expected one of {SCALES} and one of {UNSHUFFLES}")
        if self.exact and self.scale not in EXACT_SCALES:
            raise ValueError(f"scale {self.scale}: exact networks have one of {EXACT_SCALES}")
        blocks = self.com_blocks, self.rec_blocks, self.com_mid_blocks, self.rec_mid_blocks
        if max(self.com_width, self.rec_width, self.mid_width) > MAX_WIDTH or max(blocks) > MAX_BLOCKS:
            raise ValueError(f"{values}: at most {MAX_WIDTH} channels and {MAX_BLOCKS} blocks")

    @property
    def com(self) -> TrunkShape:
        return TrunkShape(
            unshuffle=self.unshuffle,
            shuffle=self.unshuffle // self.scale,
            width=self.com_width,
            blocks=self.com_blocks,
            mid_width=self.mid_width,
            mid_blocks=self.com_mid_blocks,
            gains=self.gains,
            period=self.period,
        )

    @property
    def rec(self) -> TrunkShape:
        return TrunkShape(
            unshuffle=self.unshuffle // self.scale,
            shuffle=self.unshuffle,
            width=self.rec_width,
            blocks=self.rec_blocks,
            mid_width=self.mid_width,
            mid_blocks=self.rec_mid_blocks,
            gains=self.gains,
            period=self.period,
            exact=self.exact,
        )

    @property
    def period(self) -> int:
        """Sides of a JPEG block in pixels of the trunks' resolution; 0 without `phases`."""
        return max(1, BLOCK * self.scale // self.unshuffle) if self.phases else 0

    @property
    def unit(self) -> int:
        """Sides of the original that the nets take are multiples of this."""
        unit = self.unshuffle * (2 if self.mid_width else 1)
        return max(unit, BLOCK * self.scale) if self.phases else unit

    @property
    def parameters(self) -> int:
        """Weights and biases of both nets, and the tables' entries."""
        return counted(self.tensors)

    @property
    def tensors(self) -> Tensors:
        """Every tensor of the model file."""
        slopes = SLOPES if self.bands else {}
        return {**self.com.tensors("com.trunk"), **self.rec.tensors("rec.trunk"), **TABLES, **slopes}

    @property
    def com_halo(self) -> int:
        """Receptive-field radius of ComCNN in original pixels, a multiple of `unit`."""
        return self._halo(self.com)

    @property
    def rec_halo(self) -> int:
        """Receptive-field radius of RecCNN in original pixels, a multiple of `unit`."""
        return self._halo(self.rec)

    @property
    def com_bytes(self) -> float:
        """Bytes of the largest output of a convolution of ComCNN for each of its input pixels."""
        return self.com.largest_output

    @property
    def rec_bytes(self) -> float:
        """Likewise of RecCNN."""
        return self.rec.largest_output

    def _halo(self, trunk: TrunkShape) -> int:
        return -(-self.unshuffle * trunk.reach // self.unit) * self.unit


@dataclass(frozen=True, kw_only=True)
class TrunkShape:
    """The shape of one `residual.Trunk`."""

    unshuffle: int
    shuffle: int
    width: int
    blocks: int
    mid_width: int = 0
    mid_blocks: int = 0
    gains: bool = False
    period: int = 0
    exact: bool = False

    @property
    def planes(self) -> int:
        """Input channels: the unshuffled picture, the coarseness, and rows and columns of the block's grid."""
        return 3 * self.unshuffle**2 + 1 + 2 * self.period

    def tensors(self, name: str) -> dict[str, tuple[int, ...]]:
        """Every tensor of the trunk `name`."""
        found = conv_tensors(f"{name}.head", self.planes, self.width, 3)
        for number in range(self.blocks):
            found |= block_tensors(f"{name}.body.{number}", self.width)
        found |= conv_tensors(f"{name}.tail", self.width, 3 * self.shuffle**2, 3)
        if self.mid_width:
            found |= conv_tensors(f"{name}.middle.down", 4 * self.width, self.mid_width, 1)
            for number in range(self.mid_blocks):
                found |= block_tensors(f"{name}.middle.body.{number}", self.mid_width)
            found |= conv_tensors(f"{name}.middle.up", self.mid_width, 4 * self.width, 1)
        if self.exact:
            found |= {f"{key.removesuffix('.bias')}.grid.exponent": () for key in found if key.endswith(".bias")}
        return found | (gain_tensors(f"{name}.gains", self.hidden) if self.gains else {})

    @property
    def largest_output(self) -> float:
        """Bytes of the largest output of a convolution for each pixel of the trunk's input picture."""
        channels = max(self.width, 3 * self.shuffle**2, self.mid_width / 4)
        return FLOAT * max(3, channels / self.unshuffle**2)

    @property
    def hidden(self) -> int:
        """Hidden channels of all blocks together: each has a gain."""
        return self.blocks * self.width + (self.mid_blocks * self.mid_width if self.mid_width else 0)

    @property
    def reach(self) -> int:
        """Receptive-field radius in pixels of the trunk's own resolution."""
        middle = 2 * (2 * self.mid_blocks + 1) if self.mid_width else 0
        return 2 * self.blocks + 2 + middle
