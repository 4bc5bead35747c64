"""What holds a picture, one module each; `kinds.KINDS` names the class, and it is loaded when it is asked for."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any, Final, cast

from batchcomp.codec.inner.base import InnerCodec, PayloadReader, Reader
from batchcomp.errors import PayloadError
from batchcomp.kinds import CODECS, COMPACT, KINDS

DEFAULT: Final = "jpeg"


def reader_of(kind: str) -> Reader:
    """Return what reads entries of a kind that has a reader."""
    return cast("Reader", _loaded(KINDS[kind].reader))


def inner_codec(name: str) -> InnerCodec:
    """Return the inner codec of this name, one of `kinds.CODECS`."""
    return cast("InnerCodec", _loaded(KINDS[CODECS[name]].reader))


def codec_of(data: bytes) -> PayloadReader:
    """Return what reads a payload, recognised by its content.

    Raises:
        PayloadError: nothing does.
    """
    for kind in KINDS:
        if kind in COMPACT:
            reader: PayloadReader = _loaded(KINDS[kind].reader)
            if reader.recognises(data):
                return reader
    raise PayloadError("neither JPEG nor AVIF; expected a payload written by batchcomp")


@cache
def _loaded(reader: str) -> Any:
    """An object of the class that `module:Class` names."""
    module, name = reader.split(":")
    return getattr(importlib.import_module(module), name)()
