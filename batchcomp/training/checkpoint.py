"""Everything a killed run needs to go on exactly where it was."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from batchcomp.errors import TrainingError


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """State after `step` steps."""

    step: int
    seconds: float  # training time so far, all sittings
    settings: dict[str, Any]
    network: dict[str, torch.Tensor]
    ema: dict[str, torch.Tensor]
    optimiser: dict[str, Any]
    best: float  # lowest dev BD-rate so far, in percent


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write atomically: temp file, fsync, rename."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        torch.save(vars(checkpoint), file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


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
