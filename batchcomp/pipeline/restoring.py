"""RecCNN behind entries that were read: pictures out of compact pictures."""

from __future__ import annotations

from batchcomp.codec.codec import Codec
from batchcomp.errors import ModelError, PayloadError
from batchcomp.images.picture import Picture
from batchcomp.pipeline.entries import Entry


class Restorer:
    """Restores pictures with one codec; a model that is missing is searched for once and named every time."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._missing: dict[bytes, str] = {}  # models that were not found, and the message that says so

    def picture(self, entry: Entry) -> Picture | None:
        """The picture of an entry; None for one whose bytes are given back as they are.

        Raises:
            PayloadError: its model is not at hand.
        """
        if entry.decoded is None:
            return entry.picture
        model = entry.decoded.header.model
        if model in self._missing:
            raise PayloadError(self._missing[model])
        try:
            return self._codec.reconstruct([entry.decoded])[0]
        except PayloadError as error:
            if isinstance(error.__cause__, ModelError):
                self._missing[model] = str(error)
            raise
