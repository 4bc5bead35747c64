"""One picture on its way through `compress`: every stage takes jobs and returns them with one more field filled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from batchcomp.archive.rows import JpegComparison, Row
from batchcomp.codec import payload
from batchcomp.codec.compact import Compact
from batchcomp.images.load import Source
from batchcomp.images.picture import Picture
from batchcomp.images.walk import Item


@dataclass(kw_only=True)
class Loaded:
    """A file in memory: with its picture, or with the reason why it is stored verbatim.

    The one record that changes: `release` drops the pixels, and all who hold this drop them together. Width, height
    (pixels as stored) and mode stay; they are 0 and "" where there never was a picture.
    """

    item: Item
    source: Source
    picture: Picture | None
    reason: str
    seconds: float
    width: int = field(init=False, default=0)
    height: int = field(init=False, default=0)
    mode: str = field(init=False, default="")

    def __post_init__(self) -> None:
        """Note what stays when the pixels go."""
        if self.picture is not None:
            self.width, self.height = self.picture.width, self.picture.height
            self.mode = self.picture.full_mode

    def release(self) -> None:
        """Free the pixels."""
        self.picture = None


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A payload: `data` as it would be stored, `plain` as the inner codec wrote it (the same where nothing is packed).

    `missed` says by how much it misses the target, "" where it does not; `wanted` is the MS-SSIM that the target asks
    for, 0 where it asks for none.
    """

    kind: str
    data: bytes
    plain: bytes
    metadata_bytes: int
    header: payload.PayloadHeader
    quality: float  # as asked for
    missed: str = ""
    wanted: float = 0.0

    @property
    def image_bytes(self) -> int:
        """Bytes without metadata, which rivals are measured without."""
        return len(self.data) - self.metadata_bytes


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """MS-SSIM of the restored picture, and what plain JPEG does at the same bytes and at the same MS-SSIM.

    `ssimulacra2` is None where it was not asked for. `pixels_sha256` is that of the restored pixels, see
    `pipeline.proof`.
    """

    ms_ssim: float
    jpeg: JpegComparison | None
    ssimulacra2: float | None = None
    pixels_sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One way to store a picture: what its entry holds and what its row says. The last one standing is stored."""

    row: Row
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Job:
    """One picture, and what the stages have made of it so far; None is what no stage has made yet, or could not make.

    `repeats`: its content is stored already, or will be by a job before it; it waits for that before it is compressed.
    `seconds` is the time spent on it.
    """

    loaded: Loaded
    repeats: bool = False
    compact: Compact | None = None
    encoded: Encoded | None = None
    measurement: Measurement | None = None
    decision: Candidate | None = None
    seconds: float = 0.0

    @property
    def picture(self) -> Picture:
        """The pixels.

        Raises:
            LookupError: there are none, or they were released.
        """
        if self.loaded.picture is None:
            raise LookupError(f"{self.loaded.item.name}: its pixels are not in memory")
        return self.loaded.picture

    @property
    def payload(self) -> Encoded:
        """What the inner codec made.

        Raises:
            LookupError: it has made nothing.
        """
        if self.encoded is None:
            raise LookupError(f"{self.loaded.item.name}: has no payload")
        return self.encoded

    @property
    def chosen(self) -> Candidate:
        """How the picture is stored.

        Raises:
            LookupError: that was not decided yet.
        """
        if self.decision is None:
            raise LookupError(f"{self.loaded.item.name}: how to store it was not decided")
        return self.decision


def filled(jobs: list[Job], name: str, values: Iterable[Any]) -> list[Job]:
    """Return the jobs with one field set, each to its own of the values."""
    return [replace(job, **{name: value}) for job, value in zip(jobs, values, strict=True)]


def those(jobs: list[Job], applies: Callable[[Job], bool], stage: Callable[[list[Job]], list[Job]]) -> list[Job]:
    """Send the jobs to which it applies through a stage, all at once; the others stay as they are, in their places."""
    answers = iter(stage([job for job in jobs if applies(job)]))
    return [next(answers) if applies(job) else job for job in jobs]
