"""The story of one `decode` run: archive entries or lone payloads in, pictures out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from joblib import Parallel, delayed

from batchcomp.archive import Archive
from batchcomp.archive.rows import Row
from batchcomp.codec import jpeg
from batchcomp.codec.codec import Codec
from batchcomp.codec.compact import Decoded
from batchcomp.codec.inner import codec_of
from batchcomp.errors import ArchiveDamagedError, ArchiveError, ModelError, PayloadError, PictureError, UsageError
from batchcomp.images.alpha import channel
from batchcomp.images.load import decode_picture, read_source
from batchcomp.images.outputs import left_out
from batchcomp.images.picture import Metadata, Picture
from batchcomp.images.save import safe_join, save, save_bytes
from batchcomp.kinds import COMPACT, LOSSLESS
from batchcomp.outputs import OUTPUTS
from batchcomp.pipeline.flow import WINDOW_BYTES, ahead, windows
from batchcomp.pipeline.records import Done, Event, Failed, Outcome
from batchcomp.pipeline.targets import format_of, payload_target, sameness, target_names
from batchcomp.settings import DecodeSettings

OnEvent = Callable[[Event], None]


@dataclass(frozen=True, kw_only=True)
class Read:
    """An entry in memory: its compact picture, its picture, or the bytes to write as they are."""

    row: Row
    target: str
    data: bytes = b""
    decoded: Decoded | None = None
    picture: Picture | None = None


def decode_archive(settings: DecodeSettings, *, on_event: OnEvent = lambda _: None) -> Outcome:
    """Restore the pictures of an archive, or those whose path matches a pattern, below `settings.out`.

    Raises:
        ArchiveNotFoundError: `settings.source` is no archive.
        UsageError: a pattern matches nothing.
        ModelError: the model file is unusable.
    """
    outcome = Outcome()

    def tell(event: Event) -> None:
        outcome.add(event)
        on_event(event)

    archive = Archive.open(settings.source)
    rows = list(archive.rows())
    # of all rows: a pattern must not change a picture's name
    names = target_names(rows, settings.format, same=sameness(settings.out))
    chosen = chosen_rows(rows, settings.patterns)
    for damage in archive.damage:
        tell(Failed(name=damage.segment, reason=str(damage), damage=True))
    codec = Codec.open(settings.model, device=settings.device, batch=settings.batch_size)
    with Parallel(n_jobs=settings.workers, prefer="threads") as pool:
        run = Run(settings, codec, pool)
        with closing(ahead(run.read(archive, chosen, names))) as windows_ahead:
            for window in windows_ahead:
                for event in run.restore(window):
                    tell(event)
    return outcome


def chosen_rows(rows: list[Row], patterns: tuple[str, ...]) -> list[Row]:
    """Rows whose path matches any of the globs; all of them where there is no pattern.

    Raises:
        UsageError: nothing matches.
    """
    if not patterns:
        return rows
    chosen = [row for row in rows if any(matches(row.path, pattern) for pattern in patterns)]
    if not chosen:
        raise UsageError(f"no picture matches {' '.join(patterns)}; `batchcomp list` shows the paths")
    return chosen


def matches(path: str, pattern: str) -> bool:
    """Whether a glob matches the path, its file name, or a folder above it."""
    pure = PurePosixPath(path)
    above = [str(parent) for parent in pure.parents]
    return any(fnmatchcase(name, pattern.rstrip("/")) for name in (path, pure.name, *above))


class Run:
    """The stages of one run; each maps a window of rows."""

    def __init__(self, settings: DecodeSettings, codec: Codec, pool: Any) -> None:
        self.settings, self.codec, self.pool = settings, codec, pool
        self._missing: dict[bytes, str] = {}  # models that were looked for in vain, and what to say of them

    def read(self, archive: Archive, rows: list[Row], names: dict[str, str]) -> Iterator[list[Read | Event]]:
        """Read entries, check them and decode their JPEGs, in workers of its own."""
        with Parallel(n_jobs=self.settings.workers, prefer="threads") as readers:
            for window in windows(rows, _weight, heaviest=WINDOW_BYTES * self.settings.workers):
                yield readers(delayed(read_row)(archive, row, names[row.path]) for row in window)

    def restore(self, window: list[Read | Event]) -> Iterator[Event]:
        """Run RecCNN over a window and write its files."""
        results = self._pictures([one for one in window if isinstance(one, Read)])
        ready = [result for result in results if not isinstance(result, Failed)]
        yield from (one for one in window if not isinstance(one, Read))
        yield from (result for result in results if isinstance(result, Failed))
        yield from self.pool(delayed(self._write)(one, picture) for one, picture in ready)

    def _pictures(self, window: list[Read]) -> list[tuple[Read, Picture | None] | Failed]:
        """Restore each; a payload whose model is missing fails alone."""
        answers: list[tuple[Read, Picture | None] | Failed] = []
        for one in window:
            try:
                picture = self._picture(one.decoded) if one.decoded else one.picture
            except PayloadError as error:
                answers.append(Failed(name=one.row.path, reason=f"{one.row.path}: {error}"))
            else:
                answers.append((one, picture))
        return answers

    def _picture(self, decoded: Decoded) -> Picture:
        model = decoded.header.model
        if model in self._missing:
            raise PayloadError(self._missing[model])
        try:
            return self.codec.reconstruct([decoded])[0]
        except PayloadError as error:
            if isinstance(error.__cause__, ModelError):
                self._missing[model] = str(error)
            raise

    def _write(self, one: Read, picture: Picture | None) -> Event:
        overwrite, row = self.settings.force, one.row
        try:
            path = safe_join(self.settings.out, one.target)
            if picture is None:
                save_bytes(
                    one.data, path, overwrite=overwrite, mtime_ns=row.mtime_ns, permissions=row.permissions & 0o777
                )
            else:
                save(
                    picture,
                    path,
                    format=format_of(row, self.settings.format),
                    overwrite=overwrite,
                    mtime_ns=row.mtime_ns,
                    permissions=row.permissions & 0o777,
                )
        except PictureError as error:
            return Failed(name=row.path, reason=str(error))
        return Done(name=one.target, row=row, left_out=missing_in(picture, format_of(row, self.settings.format)))


def _weight(row: Row) -> int:
    return max(3 * row.width * row.height, row.payload_bytes)


def read_row(archive: Archive, row: Row, target: str) -> Read | Event:
    """Read one entry and check it against its row."""
    try:
        data = archive.read(row)
        if row.stored == "verbatim":
            return Read(row=row, target=target, data=data)
        if row.stored == "jpeg":
            return Read(row=row, target=target, picture=plain_picture(data, row))
        if row.stored in LOSSLESS:
            return Read(row=row, target=target, picture=lossless_picture(data, row))
        if row.stored not in COMPACT:
            reason = f"{row.path}: stored as {row.stored!r}, which this build cannot decode; upgrade batchcomp"
            return Failed(name=row.path, reason=reason)
        header = codec_of(data).header(data)
        if (header.width, header.height) != (row.width, row.height):
            raise ArchiveDamagedError(f"{row.entry}: the payload's size is not the manifest's; use an intact copy")
        decoded = Codec.decode(data)
        check_alpha(decoded.metadata, (row.width, row.height))
    except (ArchiveError, PayloadError) as error:
        reason = str(error) if row.path in str(error) else f"{row.path}: {error}"
        return Failed(name=row.path, reason=reason, damage=True)
    return Read(row=row, target=target, decoded=decoded)


def check_archive(
    folder: Path,
    *,
    device: str,
    model: Path | None,
    choose: Callable[[Row], bool] = lambda _: True,
    on_event: OnEvent = lambda _: None,
) -> Outcome:
    """Restore the chosen pictures of an archive in memory; nothing is written."""
    outcome = Outcome()
    archive = Archive.open(folder)
    codec = Codec.open(model, device=device)
    for row in filter(choose, archive.rows()):
        event = _check(codec, read_row(archive, row, row.path))
        outcome.add(event)
        on_event(event)
    return outcome


def _check(codec: Codec, one: Read | Event) -> Event:
    if not isinstance(one, Read):
        return one
    try:
        if one.decoded:
            codec.reconstruct([one.decoded])
    except PayloadError as error:
        return Failed(name=one.row.path, reason=f"{one.row.path}: {error}")
    return Done(name=one.row.path, row=one.row)


def plain_picture(data: bytes, row: Row) -> Picture:
    """The picture of a plain JPEG entry.

    Raises:
        PayloadError: it is damaged, or not of the row's size.
    """
    pixels, metadata = jpeg.decode(data, expected=(row.width, row.height))
    check_alpha(metadata, (row.width, row.height))
    return Picture(pixels=pixels, metadata=metadata)


def lossless_picture(data: bytes, row: Row) -> Picture:
    """The picture of a lossless entry.

    Raises:
        PayloadError: it is damaged, or not of the row's size.
    """
    try:
        picture = decode_picture(data, row.path)
    except PictureError as error:
        raise PayloadError(str(error)) from error
    if (picture.width, picture.height) != (row.width, row.height):
        size = f"{picture.width}x{picture.height}"
        raise PayloadError(f"the entry is {size}, the manifest says otherwise; use an intact copy")
    return picture


def check_alpha(metadata: Metadata, size: tuple[int, int]) -> None:
    """Raise PayloadError where there is an alpha channel that is damaged or not of `size` (width, height)."""
    if metadata.alpha:
        try:
            channel(metadata.alpha, size)
        except PictureError as error:
            raise PayloadError(str(error)) from error


def missing_in(picture: Picture | None, format_name: str) -> tuple[str, ...]:
    """What a picture carries that the file written for it has no place for; verbatim files lack nothing."""
    return left_out(picture, format_name) if picture else ()


def decode_payload(settings: DecodeSettings, *, on_event: OnEvent = lambda _: None) -> Outcome:
    """Restore a payload file, such as `holiday.png.jpg`, extracted from a segment: `holiday.png` below `out`.

    `settings.patterns` are further payload files.
    """
    outcome = Outcome()
    codec = Codec.open(settings.model, device=settings.device, batch=settings.batch_size)
    for source in (settings.source, *map(Path, settings.patterns)):
        event = _decode_file(source, settings, codec)
        outcome.add(event)
        on_event(event)
    return outcome


def _decode_file(source: Path, settings: DecodeSettings, codec: Codec) -> Event:
    try:
        try:
            data = read_source(source)
            picture = codec.restore(data.data)
        except PayloadError as error:
            raise PayloadError(f"{source}: {error}") from error
        format_name = "png" if picture.metadata.alpha and settings.format == "jpeg" else settings.format
        name = payload_target(source.name, OUTPUTS[format_name].suffix)
        save(
            picture,
            safe_join(settings.out, name),
            format=format_name,
            overwrite=settings.force,
            mtime_ns=data.mtime_ns,
        )
    except PictureError as error:
        return Failed(name=str(source), reason=str(error))
    return Done(name=name, left_out=left_out(picture, format_name))
