"""The middle stages of `compress`: the networks, the inner codec, measuring, and the choice of how to store each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from batchcomp.archive.rows import Row
from batchcomp.codec.codec import Codec
from batchcomp.images.picture import Picture
from batchcomp.pipeline.alternatives import Alternatives, base_row, verbatim
from batchcomp.pipeline.context import Context
from batchcomp.pipeline.encoding import encode
from batchcomp.pipeline.job import Candidate, Job, filled
from batchcomp.pipeline.measure import measure
from batchcomp.pipeline.proof import digest

NO_FILE = "no file of the inner codec can hold it"


def compacted(jobs: list[Job], context: Context, qualities: Sequence[float] | None = None) -> list[Job]:
    """ComCNN, at the settings' quality or one for each job. Pixels that nothing will be compared with are released."""
    settings = context.settings
    keep = settings.measured or settings.target is not None
    compacts = context.codec.compact(
        [job.picture for job in jobs], qualities or settings.quality, settings.codec, settings.effort, keep=keep
    )
    if not keep:
        for job in jobs:
            job.loaded.release()
    return filled(jobs, "compact", compacts)


def encoded(jobs: list[Job], context: Context, *, check: bool = True) -> list[Job]:
    """The inner codec and, where asked for, the packer. Those that no file can hold stay without a payload."""

    def one(job: Job) -> Job:
        made = encode(job.compact, context.settings, check=check) if job.compact else None
        return replace(job, encoded=made, compact=None)

    return context.workers.map(one, jobs)


def measured(jobs: list[Job], context: Context) -> list[Job]:
    """Restore every payload once and note how it compares."""
    settings = context.settings

    def one(job_and_restored: tuple[Job, Picture]) -> Job:
        job, again = job_and_restored
        found = measure(job.picture, again, job.payload.image_bytes, settings.measure, threads=settings.workers)
        return replace(job, measurement=replace(found, pixels_sha256=digest(again.pixels)))

    return context.workers.map(one, zip(jobs, restored(jobs, context), strict=True))


def restored(jobs: list[Job], context: Context) -> list[Picture]:
    """What decoding will give back of each payload."""
    return context.codec.reconstruct(context.workers.map(lambda job: Codec.decode(job.payload.plain), jobs))


def decided(job: Job, *, context: Context, seconds: float) -> Job:
    """Choose how to store a picture and release its pixels; `seconds` is its share of the time of the stages before."""
    started, model = time.perf_counter(), context.codec.model.sha256
    best = verbatim(job.loaded, NO_FILE, model=model)
    if job.encoded is not None:
        best = Alternatives(job, context.settings).best(Candidate(row=_row_of(job, context), data=job.encoded.data))
    job.loaded.release()
    spent = job.loaded.seconds + seconds + time.perf_counter() - started
    return replace(job, decision=replace(best, row=replace(best.row, seconds=round(spent, 4))))


def _row_of(job: Job, context: Context) -> Row:
    made, found = job.payload, job.measurement
    return replace(
        base_row(job.loaded),
        stored=made.kind,
        metadata_bytes=made.metadata_bytes,
        model=context.codec.hash_of(made.header),
        scale=made.header.scale,
        quality=made.quality,
        payload_bytes=len(made.data),
        unpacked_bytes=len(made.plain) if made.kind == "packed" else 0,
        recipe=context.settings.recipe,
        ms_ssim=round(found.ms_ssim, 6) if found else None,
        jpeg=replace(found.jpeg, ms_ssim=round(found.jpeg.ms_ssim, 6)) if found and found.jpeg else None,
        ssimulacra2=round(found.ssimulacra2, 3) if found and found.ssimulacra2 is not None else None,
        pixels_sha256=found.pixels_sha256 if found else "",
        engine=context.codec.engine_of(made.header, made.kind) if found else "",
    )
