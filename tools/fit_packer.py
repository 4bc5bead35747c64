"""Fit the networks of `--pack` to the payloads of models, all alike.

    python tools/fit_packer.py PHOTOS OUT [--model MODEL ...] [--pictures 2000] [--steps 4500]

A MODEL is a file or a shipped model's name; the model of full size that belongs to it comes along. OUT takes the place
of batchcomp/models/packer.safetensors, and its SHA-256 that of `PACKER` in batchcomp/models. Payloads that were packed
before need the old file. With `--steps 0` the shipped networks stay, and only learn which tables the models write: that
is enough for a model that learned on with its tables held.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load, save

from batchcomp.archive.durable import atomic_write
from batchcomp.codec.codec import Codec
from batchcomp.models import packer_file
from batchcomp.training.data import split_folder
from batchcomp.training.packer import Packers, fit, samples_of, tables_of, to_bytes
from batchcomp.training.packer_records import Sample, record_all

CROP, EACH = 512, 2  # side of the crops in pixels, qualities a crop
SHARE = 0.05  # of the blocks that are learned from


def fitted(codecs: Sequence[Codec], samples: Iterable[Sample], *, steps: int, batch: int = 256, seed: int = 0) -> bytes:
    """Return the packer's file."""
    torch.manual_seed(seed)
    packers, records = Packers(), record_all(samples, share=SHARE, seed=seed)

    def show(step: int, bits: float) -> None:
        if step % 50 == 0:
            sys.stderr.write(f"step {step} of {steps}: {bits:.1f} bits for a block of each plane\n")

    fit(packers, records, steps=steps, batch=batch, on_step=show)
    return to_bytes(packers, tables_of(model for codec in codecs for model in codec.models))


def renewed(codecs: Sequence[Codec]) -> bytes:
    """Return the shipped packer's file with the tables of the models."""
    tensors, tables = load(packer_file()), tables_of(model for codec in codecs for model in codec.models)
    models = np.stack([np.frombuffer(model, np.uint8) for model in tables])
    stacked = np.ascontiguousarray(np.stack(list(tables.values())))  # what `save` needs
    return save(tensors | {"models": models, "tables": stacked})


def in_turn(each: Sequence[Iterator[Sample]]) -> Iterator[Sample]:
    """One of each after the other, while all have some."""
    return (sample for round_ in zip(*each, strict=False) for sample in round_)


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path, action="append", default=[])
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=4500)
    options = parser.parse_args()
    if options.out.is_dir() or not options.out.absolute().parent.is_dir():
        parser.error(f"{options.out}: not a file's name in an existing folder; name the file to write")
    codecs = [Codec.open(model, device="cpu") for model in options.model or [Path("default")]]
    if not options.steps:
        atomic_write(options.out, renewed(codecs))
        return
    photos = split_folder(options.photos, crop=192).train
    each = [samples_of(codec, photos, crop=CROP, each=EACH, seed=i) for i, codec in enumerate(codecs)]
    atomic_write(options.out, fitted(codecs, islice(in_turn(each), options.pictures), steps=options.steps))


if __name__ == "__main__":
    main()
