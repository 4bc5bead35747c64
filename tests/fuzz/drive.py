"""Runs a target under atheris, which looks for input that reaches new code (dev only: `pip install atheris`).

    python -m tests.fuzz.drive TARGET [-runs=100000] [-timeout=10] [-rss_limit_mb=2048]

Options are libFuzzer's. Crashing input is written to the current folder.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["batchcomp.archive", "batchcomp.codec.payload", "batchcomp.codec.inner",
                                         "batchcomp.images", "zipfile", "json.decoder", "PIL"]):  # fmt: skip
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz the target that the command line names, from its seeds on."""
    warnings.simplefilter("ignore")
    target, seeds = TARGETS[sys.argv[1]]
    corpus = Path(tempfile.mkdtemp(prefix="batchcomp-corpus-"))
    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *sys.argv[2:], str(corpus)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
