"""The error tree. Every expected failure is a `BatchcompError` and knows the exit code it ends a command with."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command, documented in docs/scripting.md."""

    DONE = 0
    FATAL = 1
    USAGE = 2
    SOME_FAILED = 3
    DAMAGED = 4
    NO_ARCHIVE = 10
    LOCKED = 11
    HUNG_UP = 129
    INTERRUPTED = 130
    NO_READER = 141
    TERMINATED = 143


SIGNAL_CODES = {"SIGHUP": ExitCode.HUNG_UP, "SIGINT": ExitCode.INTERRUPTED, "SIGTERM": ExitCode.TERMINATED}


class BatchcompError(Exception):
    """Base of all expected failures; `str(error)` is one line: the value, the reason and the next step."""

    exit_code = ExitCode.FATAL


class UsageError(BatchcompError):
    """The options or arguments contradict each other or name nothing usable."""

    exit_code = ExitCode.USAGE


class OutputError(BatchcompError):
    """Standard output cannot be written to."""


class FileError(BatchcompError):
    """The file that a command was asked for (a page, a drawing, figures) cannot be written."""


class PictureError(BatchcompError):
    """One picture cannot be read, decoded or saved; the batch goes on without it."""

    exit_code = ExitCode.SOME_FAILED


class NotAPictureError(PictureError):
    """The file is not an image in any format on the allowlist; a walk skips it."""


class UnsupportedPictureError(PictureError):
    """A sound picture that the codec cannot carry faithfully; it is stored verbatim.

    `reason` is the feature alone ("an alpha channel"), for the manifest and the report.
    """

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message


class PayloadError(PictureError):
    """A payload is not a JPEG of ours, is damaged, or asks for a model that is not at hand."""


class ModelError(BatchcompError):
    """A model file is missing, damaged, or not the one the archive names."""


class TrainingError(BatchcompError):
    """Training cannot start or go on (too few photos, photos too small, checkpoint of another run)."""


class ClusterError(BatchcompError):
    """What a run was spread over is gone; what was stored is stored."""


class ArchiveError(BatchcompError):
    """The archive cannot be read or written."""


class ArchiveDamagedError(ArchiveError):
    """A segment, its manifest or an entry fails its checks."""

    exit_code = ExitCode.DAMAGED


class ArchiveNotFoundError(ArchiveError):
    """There is no archive where one was expected."""

    exit_code = ExitCode.NO_ARCHIVE


class ArchiveLockedError(ArchiveError):
    """Another process is writing to the archive."""

    exit_code = ExitCode.LOCKED
