"""What lies between the networks and the inner codecs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from batchcomp.codec.dct import Coefficients, bands_of_coefficients, coefficients, in_bands
from batchcomp.codec.payload import PayloadHeader
from batchcomp.images.picture import Metadata, Pixels


@dataclass(frozen=True, kw_only=True)
class Compact:
    """A compact picture (h, w, 3 or 1), uint8, ready for the inner codec."""

    pixels: Pixels
    header: PayloadHeader
    tables: NDArray[np.int64]  # luma and chroma (2, 8, 8), for inner codecs of the JPEG kind
    metadata: Metadata
    quality: float  # as asked for; the header has that of the networks
    refined: Coefficients | None = None  # what to store in place of the nearest coefficients

    @cached_property
    def coefficients(self) -> Coefficients:
        """What a JPEG payload stores."""
        return coefficients(self.pixels, self.tables) if self.refined is None else self.refined

    def bands(self) -> Iterator[Coefficients]:
        """The same, some rows of blocks at a time: made as they are asked for, unless `coefficients` were before."""
        known: Coefficients | None = vars(self).get("coefficients", self.refined)
        return bands_of_coefficients(self.pixels, self.tables) if known is None else in_bands(known)


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """A payload's compact picture (h, w, 3 or 1), uint8, read back."""

    pixels: Pixels
    header: PayloadHeader
    metadata: Metadata
