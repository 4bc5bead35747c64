"""The public API, as `import batchcomp` gives it: whole runs, archives to look into, restored pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from batchcomp.archive import ArchiveReader, Damage, Row, read_versions
from batchcomp.codec.codec import Codec
from batchcomp.errors import ArchiveDamagedError, ArchiveError, PayloadError
from batchcomp.images.load import decode_picture
from batchcomp.images.picture import Picture
from batchcomp.images.pillow_array import to_image
from batchcomp.pipeline.compress import compress_archive
from batchcomp.pipeline.decode import decode_archive
from batchcomp.pipeline.entries import Entry, read_entry
from batchcomp.pipeline.records import Event, Failed, Outcome, tally
from batchcomp.pipeline.remembered import settle
from batchcomp.pipeline.restoring import Restorer
from batchcomp.places import AnyPlace, Url, place
from batchcomp.places import folder as local
from batchcomp.settings import DecodeSettings, default_archive

AnyPath = AnyPlace


def compress(
    paths: AnyPath | Sequence[AnyPath],
    archive: AnyPath | None = None,
    *,
    on_event: Callable[[Event], None] = lambda _: None,
    **settings: Any,
) -> Outcome:
    """Compress the pictures below `paths` into an archive, as `batchcomp compress` does.

    Args:
        paths: a folder of photos, a photo, or several of them.
        archive: the archive's folder; by default `FOLDER.bca` beside the one path given.
        on_event: is called with a record of every file, as soon as its fate is known.
        settings: other fields of `CompressSettings`, such as `quality=70` (1 to 100), `model="fast"` or
            `measure="none"`. What is not given is as the archive was last written with.

    Returns:
        What the run came to. A file that could not be taken is in `failures`; the others were stored all the same.

    Raises:
        UsageError: settings make no sense.
        ArchiveError: the archive cannot be written, is damaged, or is locked by another run.
        ModelError: the model file is unusable.
    """
    found = (paths,) if isinstance(paths, str | os.PathLike | Url) else tuple(paths)
    sources = tuple(place(path) for path in found)
    folder = place(archive) if archive is not None else default_archive(sources)
    settings = _with_model(settings)
    settled = settle(folder, {"paths": sources, **settings}, settings)
    return tally(compress_archive(settled.settings), on_event)


def decode(
    archive: AnyPath,
    out: AnyPath,
    *,
    on_event: Callable[[Event], None] = lambda _: None,
    **settings: Any,
) -> Outcome:
    """Restore the pictures of an archive below `out`, as `batchcomp decode` does; nothing is overwritten.

    Args:
        archive: the archive's folder.
        out: the folder to restore below.
        on_event: is called with a record of every picture.
        settings: other fields of `DecodeSettings`, such as `format="webp"`, `patterns=("2024/*",)`, `force=True`.

    Returns:
        What the run came to; pictures that could not be restored are in `failures`.

    Raises:
        ArchiveNotFoundError: there is no archive.
        UsageError: settings make no sense, or a pattern matches nothing.
        ModelError: the model file is unusable.
    """
    return tally(
        decode_archive(DecodeSettings(source=place(archive), out=local(out), **_with_model(settings))), on_event
    )


def _with_model(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, a model named by text as the path that they hold."""
    model = settings.get("model")
    return {**settings, "model": local(model)} if model is not None else dict(settings)


class ArchivedPicture:
    """One picture of an open archive. Its `row` says what the archive knows about it."""

    def __init__(self, row: Row, archive: Archive) -> None:
        self.row, self._archive = row, archive

    def __repr__(self) -> str:
        return f"<ArchivedPicture {self.row.path!r}, {self.row.width}x{self.row.height}, {self.row.stored}>"

    @property
    def path(self) -> str:
        """Its path below the folder that was compressed, with slashes."""
        return self.row.path

    def payload(self) -> bytes:
        """The bytes that the archive holds of it: for most pictures a JPEG that any viewer opens.

        Raises:
            ArchiveDamagedError: they are not what was stored.
        """
        return self._archive.reader.read(self.row)

    def picture(self) -> Picture:
        """The restored picture: uint8 pixels as stored (EXIF's orientation not applied), and its metadata.

        Raises:
            ArchiveDamagedError: the payload is damaged.
            PayloadError: it needs a model that is not at hand, or is of a kind that this build does not know.
            PictureError: it is stored as it is, and is no picture that this build decodes; take `payload()`.
        """
        entry = read_entry(self._archive.reader, self.row, self.row.path)
        if not isinstance(entry, Entry):
            damaged = isinstance(entry, Failed) and entry.damage
            reason = entry.reason if isinstance(entry, Failed) else f"{self.row.path}: cannot be read"
            raise ArchiveDamagedError(reason) if damaged else PayloadError(reason)
        restored = self._archive.restorer.picture(entry)
        return decode_picture(entry.data, self.row.path) if restored is None else restored

    def pixels(self) -> NDArray[np.uint8]:
        """The restored pixels, uint8 of shape (height, width, 3), or (height, width, 1) for greyscale.

        Raises:
            ArchiveDamagedError, PayloadError, PictureError: see `picture`.
        """
        return self.picture().pixels

    def image(self) -> Image.Image:
        """The restored picture for Pillow, with its alpha channel, and EXIF, ICC profile and XMP in `info`.

        Raises:
            ArchiveDamagedError, PayloadError, PictureError: see `picture`.
        """
        return to_image(self.picture())


class ArchivedVersion(ArchivedPicture):
    """One version of a picture.

    Attributes:
        number: 1 for the oldest that the archive holds.
        archived: when it was stored, in UTC.
    """

    def __init__(self, row: Row, archive: Archive, *, number: int, archived: datetime) -> None:
        super().__init__(row, archive)
        self.number, self.archived = number, archived

    def __repr__(self) -> str:
        return f"<ArchivedVersion {self.number} of {self.path!r}, {self.archived:%Y-%m-%dT%H:%M:%SZ}>"


class Archive:
    """An archive that is open for reading, as a context manager; iterating gives its current pictures.

    It sees the segments that were there when it was opened; a writer may add others meanwhile.
    """

    def __init__(self, reader: ArchiveReader, *, model: Path | None = None, device: str = "auto") -> None:
        self.reader, self._model, self._device = reader, model, device

    @classmethod
    def open(cls, path: AnyPath, *, model: AnyPath | None = None, device: str = "auto") -> Self:
        """Open the archive in a folder.

        Args:
            path: the archive's folder.
            model: a model of your own, where it was made with one; shipped ones are found by themselves.
            device: what restores: auto, cpu, cuda or mps.

        Raises:
            ArchiveNotFoundError: there is no archive.
            ArchiveError: it cannot be read, or a newer version wrote it.
        """
        return cls(ArchiveReader.open(place(path)), model=local(model) if model is not None else None, device=device)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.__exit__(None, None, None)

    def __iter__(self) -> Iterator[ArchivedPicture]:
        """The current version of every picture, in the order in which they were stored."""
        return (ArchivedPicture(row, self) for row in self.reader.rows())

    def __getitem__(self, path: str) -> ArchivedPicture:
        """The picture of a path.

        Raises:
            ArchiveDamagedError: what the archive says of it is damaged.
            ArchiveError: the archive holds none.
        """
        return ArchivedPicture(self.reader.row(path), self)

    def versions(self, path: str) -> list[ArchivedVersion]:
        """All versions of the picture of a path, the oldest first; those whose rows are damaged are left out.

        Raises:
            ArchiveError: the archive holds none.
        """
        found = read_versions(self.reader).get(path)
        if found is None:
            raise ArchiveError(f"{self.reader.store}: has no picture {path!r}")
        return [
            ArchivedVersion(one.row, self, number=one.number, archived=one.archived)
            for one in found
            if one.row is not None
        ]

    @property
    def damage(self) -> Sequence[Damage]:
        """What was found damaged so far."""
        return tuple(self.reader.damage)

    @cached_property
    def restorer(self) -> Restorer:
        """What restores its pictures; made when the first one is asked for."""
        return Restorer(Codec.open(self._model, device=self._device))
