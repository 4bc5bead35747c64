"""A process that forks a child for each command: children that may die at any moment, without waiting for imports.

python -m tests.crash.server [compress]     reads JSON lines, writes JSON lines; `compress` imports the pipeline
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from batchcomp.archive import durable
from batchcomp.errors import BatchcompError
from tests.crash.scenario import RUNS

DIED = 77  # exit status of a child that died at the step it was told


def die_at(step: int) -> durable.Watcher:
    """Return a watcher that ends the process before step number `step`, or in the middle of it if it writes."""
    seen = 0

    def watch(about: durable.Step) -> None:
        nonlocal seen
        seen += 1
        if seen == step:
            if about.kind == "write":
                with about.path.open("ab") as file:
                    file.write(about.data[: len(about.data) // 2])
            os._exit(DIED)

    return watch


def compress(folder: Path, source: str, model: str, **options: Any) -> None:
    """Run the real thing."""
    from batchcomp.pipeline.compress import compress_archive  # noqa: PLC0415  # most children need no torch
    from batchcomp.pipeline.records import tally  # noqa: PLC0415
    from batchcomp.settings import CompressSettings  # noqa: PLC0415

    options = {"jobs": 1, "device": "cpu", "isolate": False, **options}
    settings = CompressSettings(paths=(Path(source),), archive=folder, model=Path(model), **options)
    if tally(compress_archive(settings)).failures:
        os._exit(3)


def child(command: dict[str, Any]) -> None:
    """Do what the command says and exit with 0, or the exit code of the error that ended it."""
    folder, code = Path(command["folder"]), 0
    try:
        if "limit" in command:
            import resource  # noqa: PLC0415  # not on Windows

            resource.setrlimit(resource.RLIMIT_FSIZE, (command["limit"], command["limit"]))
        if "user" in command:
            os.setgid(command["user"])
            os.setuid(command["user"])
        with durable.watched(die_at(command.get("die_at", 0))):
            if command["run"] == "compress":
                compress(folder, **command["options"])
            else:
                RUNS[command["run"]](folder)
    except BatchcompError as error:
        code = int(error.exit_code)
        with suppress(OSError):  # a disk that is full may be full for messages too
            sys.stderr.write(f"{error}\n")
            sys.stderr.flush()
    os._exit(code)


def main() -> None:
    """Serve until stdin ends. What children would load later is loaded here: another user may not read it."""
    import filelock  # noqa: F401, PLC0415

    if "compress" in sys.argv:
        import batchcomp.pipeline.compress  # noqa: F401, PLC0415
    for line in sys.stdin:
        process = os.fork()
        if not process:
            try:
                child(json.loads(line))
            finally:
                os._exit(99)  # a bug: its traceback was printed
        sys.stdout.write(f"{process}\n")
        sys.stdout.flush()
        _, status = os.waitpid(process, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
