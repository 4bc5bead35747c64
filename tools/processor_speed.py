"""How fast the shipped models restore on older x86 processors, which this one imitates: a table in markdown.

    python tools/processor_speed.py [MODEL ...]

Megapixels a second of one core's time, the fastest of six turns over noise of 512 x 512 pixels, with the kernels that
are chosen there. What this processor lacks itself it cannot imitate: see `tests/codec/engines/processors.py`. Linux
only.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from batchcomp import models  # noqa: E402  (of this checkout, with its tests)
from tests.codec.engines.processors import LACKING  # noqa: E402


def megapixels(model: str, processor: str) -> str:
    """What a process of its own measures.

    Raises:
        subprocess.CalledProcessError: it could not.
    """
    file = Path(models.__file__).with_name(f"{model}.safetensors")
    command = [sys.executable, "-m", "tests.codec.engines.processors", str(file), processor, "--speed"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603  # ours
    return done.stdout.strip()


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", default=["fast", "default", "default-fine"])
    names = parser.parse_args().models
    sys.stdout.write(
        f"| ncnn's kernels for | {' | '.join(f'`{name}`' for name in names)} |\n{'|---' * (len(names) + 1)}|\n"
    )
    for processor in LACKING:
        cells = [processor, *(megapixels(name, processor) for name in names)]
        sys.stdout.write(f"| {' | '.join(cells)} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
