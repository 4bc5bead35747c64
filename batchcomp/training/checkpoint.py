"""Everything a killed run needs to go on exactly where it was."""

from __future__ import annotations

import io
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from batchcomp.errors import TrainingError


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """State after `step` steps."""

    step: int
    seconds: float  # training time so far, all sittings
    settings: dict[str, Any]
    network: dict[str, torch.Tensor]
    optimiser: dict[str, Any]
    best: float  # lowest dev BD-rate so far, in percent
    best_step: int = 0  # where that was
    ema: dict[str, torch.Tensor] = field(default_factory=dict)
    pending: list[list[float]] = field(default_factory=list)  # losses of the steps since the last row of the log
    photos: str = ""  # fingerprint of the photos trained on


def make_folder(folder: Path) -> None:
    """Make the folder of a run.

    Raises:
        TrainingError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{folder}: {error.strerror}; choose another --run folder") from error


def write_atomically(path: Path, data: bytes) -> None:
    """Temp file, fsync, rename, fsync of the folder."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint."""
    buffer = io.BytesIO()
    torch.save(vars(checkpoint), buffer)
    write_atomically(path, buffer.getvalue())


def load(path: Path) -> Checkpoint:
    """Read a checkpoint; tensors and plain values only, never code.

    Raises:
        TrainingError: the file is no checkpoint of ours.
    """
    try:
        return Checkpoint(**torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, TypeError, ValueError, EOFError, KeyError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TrainingError(f"{path}: not a usable checkpoint ({reason}); remove it to start afresh") from error
    except Exception as error:  # pickle's own error types are many
        raise TrainingError(f"{path}: not a usable checkpoint ({error!r:.80}); remove it to start afresh") from error


@contextmanager
def held(run: Path) -> Iterator[None]:
    """Train in a folder alone.

    Raises:
        TrainingError: another process trains there, or the disk fails.
    """
    try:
        with FileLock(run / ".lock").acquire(timeout=0):
            yield
    except Timeout as error:
        raise TrainingError(f"{run}: another process trains here; choose another --run folder") from error
    except OSError as error:
        raise TrainingError(f"{run}: {error}; free some space or choose another --run folder") from error


def check_same(
    state: Checkpoint, settings: Mapping[str, Any], may_change: Collection[str], photos: str, run: Path
) -> None:
    """Make sure that a checkpoint belongs to a run of these settings on these photos.

    Raises:
        TrainingError: it does not.
    """
    known = _completed(state.settings, settings)
    other = [key for key in settings if key not in may_change and known[key] != settings[key]]
    if other:
        raise TrainingError(
            f"{run}: holds a run with other settings ({', '.join(other)}); "
            "repeat its options, or choose another --run folder"
        )
    if state.photos and state.photos != photos:
        raise TrainingError(f"{run}: holds a run on other photos; choose another --run folder")


def _completed(stored: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Stored settings; what was unknown when they were stored, loss weights too, is as in `settings`."""
    known = {**settings, **stored}
    both = {key for key in settings if isinstance(settings[key], dict) and isinstance(known[key], dict)}
    return {key: {**settings[key], **value} if key in both else value for key, value in known.items()}
