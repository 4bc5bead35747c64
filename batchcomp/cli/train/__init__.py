"""`batchcomp train`: how a model learns, a subcommand each."""

from __future__ import annotations

from collections.abc import Callable

from batchcomp.cli.train.alternating import train_alternating
from batchcomp.cli.train.joint import train_joint

HELP = "Train a model on your own photos. Run it again to go on where it stopped."
COMMANDS: dict[str, Callable[..., None]] = {"joint": train_joint, "alternating": train_alternating}
