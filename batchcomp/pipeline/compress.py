"""The story of one `compress` run: walk, load, ComCNN, JPEG, measure, archive."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial

from batchcomp.archive import ArchiveWriter
from batchcomp.codec.codec import Codec
from batchcomp.errors import ArchiveError
from batchcomp.images.walk import Item
from batchcomp.pipeline.alternatives import verbatim
from batchcomp.pipeline.context import Context
from batchcomp.pipeline.dedup import Deduplication
from batchcomp.pipeline.failures import FailureMemory
from batchcomp.pipeline.flow import WINDOW_BYTES, ahead, ordered, windows
from batchcomp.pipeline.forecast import Forecast
from batchcomp.pipeline.index import Index
from batchcomp.pipeline.job import Job, those
from batchcomp.pipeline.load_average import wait_for_load
from batchcomp.pipeline.loading import Loader
from batchcomp.pipeline.plan import Take, bundled, is_unchanged, plan, weight
from batchcomp.pipeline.rate_control import RateControl
from batchcomp.pipeline.records import Event, Failed, Planned
from batchcomp.pipeline.remembered import note_settings
from batchcomp.pipeline.stages import compacted, decided, encoded, measured
from batchcomp.pipeline.storing import Result, events_of, writer_of
from batchcomp.pipeline.workers import Serial, Threads
from batchcomp.settings import CompressSettings

MEASURED = 1.7  # what measuring takes, in pictures: with it two of 12 megapixels are in hand, without it three
MAX_THREADS = 64  # tiles at once: more cost only memory


def compress_archive(settings: CompressSettings, forecast: Forecast | None = None) -> Generator[Event]:
    """Compress the pictures below `settings.paths` into `settings.archive`, and yield what became of each file.

    A bad file becomes a `Failed` event and the run goes on; what was stored before an interruption stays stored. A
    `forecast` is told what is to come, and counts ahead while the run works.

    Raises:
        ArchiveError: the archive cannot be written, is damaged, or is locked by another run.
        ModelError: the model file is unusable.
    """
    codec = Codec.open(
        settings.model, device=settings.device, batch=settings.batch_size, threads=min(settings.workers, MAX_THREADS)
    )
    with writer_of(settings) as writer:
        note_settings(writer, settings)
        index, failures = Index(settings.archive), FailureMemory(settings)
        if forecast is not None:
            forecast.count(settings, partial(is_unchanged, index, settings))
        todo = bundled(plan(settings, codec.hashes, index, failures))
        deduplication = Deduplication(settings, codec.hashes, index)
        flow = by_picture if codec.device.type == "cpu" else by_window
        try:
            with closing(flow(settings, codec, deduplication, todo)) as results:
                for result in results:
                    yield from map(failures.told, events_of(writer, index, result))
                    writer.commit_if_due()
        except BaseException:
            with suppress(ArchiveError):  # what ended the run counts more
                failures.save(writer, complete=False)
            raise
        failures.save(writer, complete=True)
        yield from _protected(writer, index)


def _protected(writer: ArchiveWriter, index: Index) -> Iterator[Event]:
    """Write recovery data that older segments lack; a damaged one gets none and is named, unless it was before."""
    named = {damage.segment for damage in index.damage}
    for damage in writer.catch_up():
        if damage.segment not in named:
            reason = f"{damage}; it gets no recovery data before `batchcomp repair`"
            yield Failed(name=damage.segment, reason=reason, damage=True)


def by_picture(
    settings: CompressSettings, codec: Codec, deduplication: Deduplication, todo: Iterator[Item | Event]
) -> Generator[Result]:
    """Take each picture from ComCNN to its row in one thread, several pictures at once; others are read meanwhile.

    What may share its content with a file before it waits for that file to be stored.
    """
    context = Context(settings=settings, codec=codec, workers=Serial(), deduplication=deduplication)
    stage = partial(compress, context=context)
    todo = _preparing(todo, codec, restores=settings.measured)

    def work(one: Job | Event) -> Job | Event:
        return one if not isinstance(one, Job) or one.repeats else stage([one])[0]

    with Loader(settings) as loader:
        loads = ordered(todo, loader.load, weight, threads=settings.workers, heaviest=WINDOW_BYTES)
        heaviest = WINDOW_BYTES * settings.workers
        weigh = partial(_pixel_bytes, measured=settings.measured)
        done = ordered(_begun(loads, context), work, weigh, threads=settings.workers + 1, heaviest=heaviest)
        with closing(loads), closing(done):
            for one in done:
                yield from deduplication.run([one], stage) if isinstance(one, Job) and one.repeats else [one]


def _preparing(todo: Iterator[Item | Event], codec: Codec, *, restores: bool) -> Iterator[Item | Event]:
    """Load the networks once there is a picture for them, while it is read; a run without any does without."""
    prepared = False
    for one in todo:
        if isinstance(one, Item) and not prepared:
            codec.prepare(restores=restores)
            prepared = True
        yield one


def _begun(loads: Iterable[Job | Event], context: Context) -> Iterator[Job | Event]:
    """Wait while the machine is busy, and mark the jobs whose content is stored, or will be by one before them."""
    seen: set[str] = set()
    for one in loads:
        yield from wait_for_load(context.settings.max_load)
        if isinstance(one, Job):
            digest = one.loaded.source.sha256
            repeats = digest in seen or context.deduplication.shared(one) is not None
            seen.add(digest)
            yield replace(one, repeats=repeats)
        else:
            yield one


def by_window(
    settings: CompressSettings, codec: Codec, deduplication: Deduplication, todo: Iterator[Item | Event]
) -> Generator[Result]:
    """Compress windows of pictures, whose tiles fill the device's batches, while the next window is loaded."""
    with Threads(settings.workers) as workers:
        context = Context(settings=settings, codec=codec, workers=workers, deduplication=deduplication)
        heaviest = WINDOW_BYTES * settings.workers
        with closing(ahead(_loaded(windows(todo, weight, heaviest=heaviest), settings))) as loaded:
            for window in loaded:
                yield from wait_for_load(settings.max_load)
                yield from deduplication.run(window, partial(compress, context=context))


def _loaded(todo: Iterable[list[Item | Event]], settings: CompressSettings) -> Iterator[list[Job | Event]]:
    """Read and decode windows of files, in threads of its own, so that it can run ahead of the networks."""
    with Loader(settings) as loader, Threads(settings.workers) as workers:
        for window in todo:
            yield workers.map(loader.load, window)


def compress(jobs: list[Job], context: Context) -> list[Job]:
    """Decide how to store each picture: loaded jobs become jobs with a decision, and their pixels are released."""
    jobs = [
        job if job.loaded.picture is not None else replace(job, decision=verbatim(job.loaded, job.loaded.reason))
        for job in jobs
    ]
    return those(jobs, lambda job: job.decision is None, partial(_compress_pictures, context=context))


def _compress_pictures(jobs: list[Job], context: Context) -> list[Job]:
    started, settings = time.perf_counter(), context.settings
    if settings.target is None:
        jobs = encoded(compacted(jobs, context), context)
    else:
        jobs = RateControl(context, settings.target).run(jobs)
    if settings.measured:
        jobs = those(jobs, lambda job: job.encoded is not None, partial(measured, context=context))
    seconds = (time.perf_counter() - started) / max(1, len(jobs))
    return context.workers.map(partial(decided, context=context, seconds=seconds), jobs)


def _pixel_bytes(one: Job | Event, *, measured: bool) -> int:
    if not isinstance(one, Job) or one.loaded.picture is None:
        return 0
    size = one.loaded.picture.pixels.nbytes
    return round(MEASURED * size) if measured else size


def plan_archive(settings: CompressSettings, forecast: Forecast | None = None) -> Generator[Event]:
    """Yield what `compress_archive` would do with each file and why: files are read and decoded, but not compressed."""
    codec = Codec.open(settings.model, device="cpu")
    index, seen = Index(settings.archive), set[str]()
    if forecast is not None:
        forecast.count(settings, partial(is_unchanged, index, settings))
    deduplication = Deduplication(settings, codec.hashes, index)
    with Loader(settings) as loader:
        for step in plan(settings, codec.hashes, index, FailureMemory(settings)):
            if not isinstance(step, Take):
                yield step
                continue
            loaded = loader.load(step.item)
            yield _planned(loaded, step.reason, deduplication, seen) if isinstance(loaded, Job) else loaded


def _planned(job: Job, reason: str, deduplication: Deduplication, seen: set[str]) -> Planned:
    """Say what would be done with a picture, or a file that is carried along."""
    loaded, digest = job.loaded, job.loaded.source.sha256
    known = digest in seen or deduplication.shared(job) is not None
    seen.add(digest)
    how = [reason] + ["content that is stored already"] * known
    how += [f"stored as it is: {loaded.reason}"] if loaded.picture is None else []
    return Planned(name=loaded.item.name, reason=", ".join(how))
