"""The story of one `verify` run: every byte against its checksum, and what else was asked for."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from batchcomp.amount import BYTES, PIXELS, Amount
from batchcomp.archive import ArchiveReader, Damage, Row, Standing, VerifyReport, standing, verify
from batchcomp.archive.segments import parity_numbers, segment_name
from batchcomp.archive.verify import bytes_of
from batchcomp.codec.codec import Codec
from batchcomp.errors import PayloadError
from batchcomp.pipeline.entries import Entry, read_entry
from batchcomp.pipeline.proof import proof
from batchcomp.pipeline.records import Event, Failed
from batchcomp.pipeline.restoring import Restorer
from batchcomp.pipeline.sampling import sampler
from batchcomp.pipeline.sources import Compared, compare_sources
from batchcomp.places import Place

Choose = Callable[[Row], bool]


@dataclass(frozen=True, kw_only=True)
class VerifySettings:
    """One `verify` run: a `share` (0 to 1) of the pictures, restored in memory too, held against the originals too."""

    archive: Place
    share: float = 1.0
    decode: bool = False
    sources: tuple[Path, ...] = ()
    device: str = "auto"
    model: Path | None = None


class Elsewhere(Protocol):
    """Where the work of a `verify` run may be done instead of in this process."""

    def verify(self, settings: VerifySettings, choose: Choose) -> VerifyReport:
        """See `archive.verify`."""
        ...

    def check_pictures(self, settings: VerifySettings, choose: Choose) -> Iterator[Event]:
        """See `check_pictures`."""
        ...


Finding = Damage | VerifyReport | Standing | Event | Compared


def verify_archive(
    settings: VerifySettings, elsewhere: Elsewhere | None = None, amount: Amount | None = None
) -> Generator[Finding]:
    """Yield all damage, then the report on the bytes, then what became of each picture that was restored or compared.

    Every check looks at the same sample. What the recovery data bears is told only where all is read. Bytes and
    pictures are checked `elsewhere`, by default in this process, which tells an `amount` how far it is: of the bytes,
    then of the pixels, then of the originals' bytes.

    Raises:
        ArchiveNotFoundError, ArchiveError: see `ArchiveReader.open`.
        ModelError: the model file is unusable.
        UsageError: a path of `sources` is missing, or none of the pictures has an original there.
    """
    choose, amount = sampler(settings.share), amount or Amount()
    found = elsewhere.verify(settings, choose) if elsewhere else _verified(settings, choose, amount)
    yield from found.damage
    yield found
    if settings.share >= 1:
        yield from _standings(settings.archive, {damage.segment for damage in found.damage})
    if settings.decode:
        yield from elsewhere.check_pictures(settings, choose) if elsewhere else check_pictures(settings, choose, amount)
    if settings.sources:
        amount.begin(BYTES, 0)
        for one in compare_sources(settings.archive, settings.sources, choose):
            amount.advance(one.row.source_bytes, one.row.path)
            yield one


def _verified(settings: VerifySettings, choose: Choose, amount: Amount) -> VerifyReport:
    amount.begin(BYTES, round(settings.share * bytes_of(settings.archive)))
    return verify(settings.archive, choose=choose, on_entry=partial(_checked, amount, choose))


def _checked(amount: Amount, choose: Choose, row: Row, _damage: Damage | None) -> None:
    if not row.owner_segment and choose(row):
        amount.advance(row.payload_bytes, row.path)


def _standings(folder: Place, damaged: set[str]) -> Iterator[Standing]:
    """Yield for each segment that has recovery data what that can do."""
    for number in parity_numbers(folder):
        if found := standing(folder, number, sound=segment_name(number) not in damaged):
            yield found


def check_pictures(
    settings: VerifySettings, choose: Choose = lambda _: True, amount: Amount | None = None
) -> Iterator[Event]:
    """Restore the chosen pictures of an archive in memory, and compare their pixels with those recorded."""
    amount = amount or Amount()
    archive = ArchiveReader.open(settings.archive)
    codec = Codec.open(settings.model, device=settings.device)
    rows = list(filter(choose, archive.rows()))
    amount.begin(PIXELS, sum(row.width * row.height for row in rows))
    for row, event in zip(rows, checked(archive, rows, codec), strict=True):
        amount.advance(row.width * row.height, row.path)
        yield event


def checked(archive: ArchiveReader, rows: Iterable[Row], codec: Codec) -> Iterator[Event]:
    """Restore pictures in memory with a codec that is ready."""
    restorer = Restorer(codec)
    for row in rows:
        yield _check(restorer, codec, read_entry(archive, row, row.path))


def _check(restorer: Restorer, codec: Codec, entry: Entry | Event) -> Event:
    if not isinstance(entry, Entry):
        return entry
    try:
        return proof(entry, restorer.picture(entry), codec)
    except PayloadError as error:
        return Failed(name=entry.row.path, reason=f"{entry.row.path}: {error}")
