"""Make a model's RecCNN exact without training: channels made alike, weights and inputs rounded, means kept.

    python tools/make_exact.py MODEL PHOTOS OUT [--batches 16]

MODEL is a file or a shipped model's name of the residual family. Training may go on from OUT with
`batchcomp train joint --start OUT --decoder-only`: small networks win back what rounding cost.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from batchcomp.archive.durable import atomic_write
from batchcomp.codec import weights
from batchcomp.codec.networks import untrained
from batchcomp.codec.networks.base import CodecNetwork
from batchcomp.codec.networks.residual import ResidualNetwork
from batchcomp.codec.tables import FINEST, MAX_NETWORK_QUALITY, quality_to_coarseness
from batchcomp.training.data import CropSource, split_folder
from batchcomp.training.exact import begin
from batchcomp.training.joint import draw_coarsenesses

CROP, BATCH = 256, 4


def exactly(floating: CodecNetwork, photos: Path, batches: int) -> CodecNetwork:
    """The exact network of a floating one.

    Raises:
        TypeError: it is of another family.
    """
    if not isinstance(floating, ResidualNetwork):
        raise TypeError("only networks of the residual family can be exact")
    network = untrained(replace(floating.arch, exact=True))
    source = CropSource(split_folder(photos, crop=CROP).train, crop=CROP, batch=BATCH, seed=0)
    finest = FINEST if floating.arch.scale == 1 else quality_to_coarseness(MAX_NETWORK_QUALITY)

    def examples() -> Iterator[tuple[Tensor, Tensor]]:
        for step, x, _ in source.batches(0, batches):
            yield x, draw_coarsenesses(np.random.default_rng(step), len(x), finest)

    begin(network, floating.placed(), examples)
    return network


def main() -> None:
    """Read the command line, write the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--batches", type=int, default=16)
    options = parser.parse_args()
    if options.out.is_dir() or not options.out.absolute().parent.is_dir():
        parser.error(f"{options.out}: not a file's name in an existing folder; name the file to write")
    torch.set_num_threads(1)
    network = exactly(weights.load_file(options.model).network, options.photos, options.batches)
    atomic_write(options.out, weights.to_bytes(network))


if __name__ == "__main__":
    main()
