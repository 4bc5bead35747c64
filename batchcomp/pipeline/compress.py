"""The story of one `compress` run: walk, load, ComCNN, JPEG, measure, archive."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial

from joblib import Parallel

from batchcomp.archive import ArchiveWriter
from batchcomp.codec.codec import Codec
from batchcomp.errors import PictureError
from batchcomp.images.walk import Item
from batchcomp.pipeline.alternatives import Candidate
from batchcomp.pipeline.dedup import Deduplication, Shared
from batchcomp.pipeline.flow import WINDOW_BYTES, ahead, in_turn, ordered, windows
from batchcomp.pipeline.index import Index
from batchcomp.pipeline.load_average import wait_for_load
from batchcomp.pipeline.loading import Loaded, Loader
from batchcomp.pipeline.memory import give_back_freed
from batchcomp.pipeline.packing import Run
from batchcomp.pipeline.plan import Take, bundled, plan, weight
from batchcomp.pipeline.records import Bundle, Done, Event, Failed, Outcome, Planned
from batchcomp.settings import CompressSettings

OnEvent = Callable[[Event], None]
MEASURED = 1.7  # what measuring takes, in pictures: with it two of 12 megapixels are in hand, without it three
MAX_THREADS = 64  # tiles at once: more cost only memory


def compress_archive(settings: CompressSettings, *, on_event: OnEvent = lambda _: None) -> Outcome:
    """Compress the pictures below `settings.paths` into `settings.archive`.

    A bad file becomes a `Failed` event and the run goes on; what was stored before an interruption stays stored.

    Raises:
        ArchiveError: the archive cannot be written, is damaged, or is locked by another run.
        ModelError: the model file is unusable.
    """
    outcome = Outcome()
    give_back_freed(settings.workers)

    def tell(event: Event) -> None:
        outcome.add(event)
        on_event(event)

    codec = Codec.open(
        settings.model, device=settings.device, batch=settings.batch_size, threads=min(settings.workers, MAX_THREADS)
    )
    with _writer(settings) as writer:
        known = Index(settings.archive)
        todo = bundled(plan(settings, codec.hashes, known))
        sharing = Deduplication(settings, codec.hashes, known)
        flow = by_picture if codec.device.type == "cpu" else by_window
        calm = partial(wait_for_load, settings.max_load, on_wait=tell, meanwhile=writer.commit_if_due)
        with closing(flow(settings, codec, todo, sharing, calm)) as results:
            for result in results:
                for event in _events(writer, known, result):
                    tell(event)
                writer.commit_if_due()
    return outcome


Result = Candidate | Shared | Event


def by_picture(
    settings: CompressSettings,
    codec: Codec,
    todo: Iterator[Item | Event],
    sharing: Deduplication,
    calm: Callable[[], None],
) -> Generator[Result]:
    """Take each picture from ComCNN to its row in one thread, several pictures at once; others are read meanwhile.

    What may share its content with a file before it waits for that file to be stored.
    """
    run, seen = Run(settings, codec, in_turn), set[str]()

    def begin(loaded: Iterable[Loaded | Event]) -> Iterator[tuple[Loaded | Event, bool]]:
        for one in loaded:
            calm()
            known = isinstance(one, Loaded) and (one.source.sha256 in seen or sharing.holds(one))
            seen.update([one.source.sha256] if isinstance(one, Loaded) else [])
            yield one, known

    def pack(begun: tuple[Loaded | Event, bool]) -> tuple[Loaded | Event, list[Candidate | Event]]:
        one, known = begun
        return one, [] if known else list(run.pack([one]))

    with Loader(settings) as loader:
        loads = ordered(todo, loader.load, weight, threads=settings.workers, heaviest=WINDOW_BYTES)
        heaviest = WINDOW_BYTES * settings.workers
        weigh = partial(_pixel_bytes, measured=settings.measure)
        packs = ordered(begin(loads), pack, weigh, threads=settings.workers + 1, heaviest=heaviest)
        with closing(loads), closing(packs):
            for one, answer in packs:
                yield from answer or sharing.pack([one], run.pack)


def by_window(
    settings: CompressSettings,
    codec: Codec,
    todo: Iterator[Item | Event],
    sharing: Deduplication,
    calm: Callable[[], None],
) -> Generator[Result]:
    """Pack windows of pictures, whose tiles fill the device's batches, while the next window is loaded."""
    with Parallel(n_jobs=settings.workers, prefer="threads") as pool:
        run = Run(settings, codec, pool)
        with closing(ahead(run.load(windows(todo, weight, heaviest=WINDOW_BYTES * settings.workers)))) as loaded:
            for window in loaded:
                calm()
                yield from sharing.pack(window, run.pack)


def _pixel_bytes(begun: tuple[Loaded | Event, bool], *, measured: bool) -> int:
    one, _ = begun
    if measured and isinstance(one, Loaded) and one.picture is not None:
        return round(MEASURED * one.picture.pixels.nbytes)
    return one.picture.pixels.nbytes if isinstance(one, Loaded) and one.picture is not None else 0


def plan_archive(settings: CompressSettings, *, on_event: OnEvent = lambda _: None) -> Outcome:
    """Say what `compress_archive` would take and why, from names, sizes and times alone."""
    outcome = Outcome()

    def tell(event: Event) -> None:
        outcome.add(event)
        on_event(event)

    codec = Codec.open(settings.model, device="cpu")
    for step in plan(settings, codec.hashes, Index(settings.archive)):
        tell(Planned(name=step.item.name, reason=step.reason) if isinstance(step, Take) else step)
    return outcome


def _writer(settings: CompressSettings) -> ArchiveWriter:
    return ArchiveWriter(
        settings.archive,
        segment_bytes=settings.segment_bytes,
        segment_seconds=settings.segment_seconds,
        lock_wait=settings.lock_wait,
    )


def _events(writer: ArchiveWriter, known: Index, result: Result) -> Iterable[Event]:
    if isinstance(result, Bundle):
        return result.events
    return [_stored(writer, known, result) if isinstance(result, Candidate | Shared) else result]


def _stored(writer: ArchiveWriter, known: Index, result: Candidate | Shared) -> Event:
    try:
        if isinstance(result, Shared):
            row = writer.add_shared(result.row, result.owner)
        else:
            row = writer.add(result.row, result.data)
    except PictureError as error:
        return Failed(name=result.row.path, reason=str(error))
    known.note(row)
    return Done(name=row.path, row=row)
