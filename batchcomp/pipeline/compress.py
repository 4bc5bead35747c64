"""The story of one `compress` run: walk, load, ComCNN, JPEG, measure, archive."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from joblib import Parallel

from batchcomp.archive import ArchiveWriter
from batchcomp.codec.codec import Codec
from batchcomp.errors import PictureError
from batchcomp.pipeline.flow import WINDOW_BYTES, ahead, windows
from batchcomp.pipeline.packing import Packed, Run
from batchcomp.pipeline.plan import Take, plan, weight
from batchcomp.pipeline.records import Done, Event, Failed, Outcome, Planned
from batchcomp.settings import CompressSettings

OnEvent = Callable[[Event], None]


def compress_archive(settings: CompressSettings, *, on_event: OnEvent = lambda _: None) -> Outcome:
    """Compress the pictures below `settings.paths` into `settings.archive`.

    A bad file becomes a `Failed` event and the run goes on; what was stored before an interruption stays stored.

    Raises:
        ArchiveError: the archive cannot be written, is damaged, or is locked by another run.
        ModelError: the model file is unusable.
    """
    outcome = Outcome()

    def tell(event: Event) -> None:
        outcome.add(event)
        on_event(event)

    codec = Codec.open(settings.model, device=settings.device, batch=settings.batch_size)
    with ArchiveWriter(settings.archive) as writer, Parallel(n_jobs=settings.workers, prefer="threads") as pool:
        todo = (step.item if isinstance(step, Take) else step for step in plan(settings, codec.model.sha256))
        run = Run(settings, codec, pool)
        with closing(ahead(run.load(windows(todo, weight, heaviest=WINDOW_BYTES * settings.workers)))) as windows_ahead:
            for window in windows_ahead:
                for result in run.pack(window):
                    tell(_stored(writer, result) if isinstance(result, Packed) else result)
    return outcome


def plan_archive(settings: CompressSettings, *, on_event: OnEvent = lambda _: None) -> Outcome:
    """Say what `compress_archive` would take and why, from names, sizes and times alone."""
    outcome = Outcome()

    def tell(event: Event) -> None:
        outcome.add(event)
        on_event(event)

    codec = Codec.open(settings.model, device="cpu")
    for step in plan(settings, codec.model.sha256):
        tell(Planned(name=step.item.name, reason=step.reason) if isinstance(step, Take) else step)
    return outcome


def _stored(writer: ArchiveWriter, packed: Packed) -> Event:
    try:
        writer.add(packed.row, packed.data)
    except PictureError as error:
        return Failed(name=packed.row.path, reason=str(error))
    return Done(name=packed.row.path, row=packed.row)
