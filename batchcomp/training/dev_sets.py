"""The dev sets of a run, one for each folder of photos, and their log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from batchcomp.codec.networks.base import CodecNetwork
from batchcomp.training.data import Split
from batchcomp.training.evaluate import (
    DEV_COARSENESSES,
    FULL_SIZE_DEV_COARSENESSES,
    FULL_SIZE_JPEG_QUALITIES,
    JPEG_QUALITIES,
    DevScore,
    DevSet,
    mean_of,
)
from batchcomp.training.log import DevLog


class DevSets:
    """The held-out photos of every folder; each folder's scores go into a log."""

    def __init__(self, splits: Sequence[tuple[Path, Split]], *, full_size: bool) -> None:
        self._sets = {
            folder: DevSet(
                split.dev,
                coarsenesses=FULL_SIZE_DEV_COARSENESSES if full_size else DEV_COARSENESSES,
                jpeg_qualities=FULL_SIZE_JPEG_QUALITIES if full_size else JPEG_QUALITIES,
            )
            for folder, split in dict(splits).items()
        }

    def score(self, network: CodecNetwork, step: int, log: DevLog) -> DevScore:
        """Return the mean score over the folders; log that of each."""
        scores = {folder: photos.score(network) for folder, photos in self._sets.items()}
        log.write(step, scores)
        return mean_of(list(scores.values()))
