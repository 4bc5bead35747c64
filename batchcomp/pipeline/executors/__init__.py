"""What spreads the work of one command over processes or machines: one file each, named in `settings.EXECUTORS`."""

from __future__ import annotations

from importlib import import_module

from batchcomp.errors import UsageError
from batchcomp.pipeline.executors.base import Executor
from batchcomp.settings import EXECUTORS


def executor(name: str, scheduler: str = "") -> Executor:
    """Return an executor, not entered yet.

    Args:
        name: a key of `EXECUTORS`.
        scheduler: where it is reached, such as "tcp://10.0.0.1:8786"; "" for one that needs none.

    Raises:
        UsageError: there is none of this name, its package is missing, or it needs a scheduler, or none.
    """
    if name not in EXECUTORS:
        raise UsageError(f"engine {name!r}: expected one of {', '.join(EXECUTORS)}")
    module, _, kind = EXECUTORS[name].partition(":")
    try:
        made: Executor = getattr(import_module(module), kind)(scheduler)
    except ImportError as error:
        raise UsageError(f"--engine {name}: {error.name} is missing; pip install 'batchcomp[{name}]'") from error
    return made
