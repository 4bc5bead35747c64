"""Lone payload files, such as `holiday.png.jpg`, that were taken out of an archive: restored, or unpacked to JPEGs."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path

from batchcomp.codec import pack
from batchcomp.codec.codec import Codec
from batchcomp.errors import PayloadError, PictureError
from batchcomp.escapes import stored_name
from batchcomp.images.load import read_source
from batchcomp.images.names import name_problem
from batchcomp.images.outputs import left_out
from batchcomp.images.save import safe_join, save, save_bytes
from batchcomp.outputs import output_for, suffix_for
from batchcomp.pipeline.records import Done, Event, Failed
from batchcomp.pipeline.targets import payload_path, payload_target
from batchcomp.places import folder
from batchcomp.settings import DecodeSettings


def decode_payloads(settings: DecodeSettings) -> Generator[Event]:
    """Restore payload files below `settings.out`: `holiday.png.jpg` becomes `holiday.png`.

    `settings.source` is the first of them, `settings.patterns` are the others.
    """
    codec = Codec.open(settings.model, device=settings.device, batch=settings.batch_size)
    for source in (folder(settings.source), *map(Path, settings.patterns)):
        yield _decode(source, settings, codec)


def _decode(source: Path, settings: DecodeSettings, codec: Codec) -> Event:
    try:
        try:
            data = read_source(source)
            picture = codec.restore(data.data)
        except PayloadError as error:
            raise PayloadError(f"{source}: {error}") from error
        held = payload_path(source.name)
        format_name = output_for(settings.format, alpha=bool(picture.metadata.alpha), path=held)
        name = payload_target(source.name, suffix_for(settings.format, format_name, held))
        path = safe_join(settings.out, _archived(name))
        save(picture, path, format=format_name, overwrite=settings.force, mtime_ns=data.mtime_ns)
    except PictureError as error:
        return Failed(name=str(source), reason=str(error))
    return Done(name=name, left_out=left_out(picture, format_name))


def unpack_files(files: Iterable[Path], out: Path, *, force: bool) -> Generator[Event]:
    """Write the JPEG of each packed payload file below `out`: `a.png.jpg.bcp` becomes `a.png.jpg`.

    Raises:
        UsageError: constriction is missing.
    """
    for file in files:
        yield _unpack(file, out, force=force)


def _unpack(file: Path, out: Path, *, force: bool) -> Event:
    name = file.name.removesuffix(pack.SUFFIX) if file.name.endswith(pack.SUFFIX) else f"{file.name}.jpg"
    try:
        source = read_source(file)
        if not pack.is_packed(source.data):
            return Failed(name=str(file), reason=f"{file}: not a packed payload; there is nothing to unpack")
        save_bytes(pack.unpack(source.data), safe_join(out, _archived(name)), overwrite=force, mtime_ns=source.mtime_ns)
    except PayloadError as error:
        return Failed(name=str(file), reason=f"{file}: {error}")
    except PictureError as error:
        return Failed(name=str(file), reason=str(error))
    return Done(name=name)


def _archived(name: str) -> str:
    """Return the name as an archive has it: `unzip` left it so, or it is one of this disk's own."""
    return name if name_problem(name) is None else stored_name(name)
