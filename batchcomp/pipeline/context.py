"""What all stages of one `compress` run share."""

from __future__ import annotations

from dataclasses import dataclass

from batchcomp.codec.codec import Codec
from batchcomp.pipeline.dedup import Deduplication
from batchcomp.pipeline.workers import Workers
from batchcomp.settings import CompressSettings


@dataclass(frozen=True, kw_only=True)
class Context:
    """One run: what was asked for, and what does the work."""

    settings: CompressSettings
    codec: Codec
    workers: Workers
    deduplication: Deduplication
