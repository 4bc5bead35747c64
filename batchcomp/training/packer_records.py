"""What the packer's networks learn from: features and values of a share of blocks, as the coder meets them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from batchcomp.codec.pack.context import ENDS, AcContext, DcContext, diagonals
from batchcomp.codec.pack.model import PLANES
from batchcomp.codec.pack.plane import Plane, last_nonzero


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One compact picture as JPEG codes it: coefficients (planes, rows, columns, 8, 8), tables (2, 8, 8), quality."""

    coefficients: NDArray[np.int16]
    tables: NDArray[np.int64]
    quality: float


Parts = list[NDArray[np.int16]]
ENDED: Final = -(1 << 15)  # in place of a coefficient: this one and all behind it are zero


class Records:
    """Features and values of a random share of blocks, by plane and coefficient."""

    def __init__(self, share: float, seed: int) -> None:
        self.share, self.rng = share, np.random.default_rng(seed)
        self.ac: list[list[tuple[Parts, Parts]]] = [[([], []) for _ in range(64)] for _ in range(PLANES)]
        self.dc: list[tuple[Parts, Parts, Parts]] = [([], [], []) for _ in range(PLANES)]

    def add(self, sample: Sample) -> None:
        """Walk over a picture in the coder's order."""
        before: list[Plane] = []
        for number, blocks in enumerate(sample.coefficients):
            plane = Plane(blocks.shape[0], blocks.shape[1], sample.tables[min(number, 1)])
            truth = plane.flatten(blocks)
            self._add_dc(number, plane, truth, DcContext(plane, before, round(sample.quality)))
            self._add_ac(number, plane, truth, AcContext(plane, before, round(sample.quality)))
            before.append(plane)

    def _some(self, count: int) -> NDArray[np.intp]:
        return np.nonzero(self.rng.random(count) < self.share)[0]

    def _add_dc(self, number: int, plane: Plane, truth: NDArray[np.int64], context: DcContext) -> None:
        for y, x in diagonals(plane.rows, plane.columns):
            features, base, terms = context.at(y, x)
            values = truth[0, plane.flat(y, x)]
            some = self._some(len(y))
            for part, found in zip(self.dc[number], (features, terms, values - base), strict=True):
                part.append(found[..., some].T.astype(np.int16))
            plane.put_dc(y, x, values)
        plane.finish_dc()

    def _add_ac(self, number: int, plane: Plane, truth: NDArray[np.int64], context: AcContext) -> None:
        lasts = last_nonzero(truth)
        for k in range(1, 64):
            context.begin(k)
            for colour in (0, 1):
                if colour:
                    context.turn()
                where = plane.open[colour]
                some = where[self._some(len(where))]
                ended = lasts[where] < k if k in ENDS else np.zeros(len(where), bool)
                values = np.where(lasts[some] < k, ENDED, truth[k, some]) if k in ENDS else truth[k, some]
                for part, found in zip(self.ac[number][k], (context.at(colour, some).T, values), strict=True):
                    part.append(found.astype(np.int16))
                plane.end(colour, ended)
                where = plane.open[colour]
                plane.put(k, where, truth[k, where])

    def tables(self) -> tuple[list[list[tuple[Tensor, Tensor]]], list[tuple[Tensor, Tensor, Tensor]]]:
        """AC by plane and k - 1: features (N, F), values (N,), `ENDED` where the block ends.

        DC by plane: features (N, F), terms (N, T), value - base (N,).
        """
        ac = [[(_joined(a), _joined(b)) for a, b in plane[1:]] for plane in self.ac]
        dc = [(_joined(a), _joined(b), _joined(c)) for a, b, c in self.dc]
        return ac, dc


def _joined(parts: Parts) -> Tensor:
    return torch.from_numpy(np.concatenate(parts))


def record_all(samples: Iterable[Sample], *, share: float, seed: int = 0) -> Records:
    """Records of many pictures."""
    records = Records(share, seed)
    for sample in samples:
        records.add(sample)
    return records
