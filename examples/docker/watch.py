"""Archive a folder now, and again whenever it has been quiet for a while after a change.

    python watch.py PHOTOS ARCHIVE [SECONDS]

SECONDS of quiet (60) let a card or a phone finish copying. What `batchcomp compress` says goes to the log; a run that
fails is tried again after the next change. Needs watchfiles. SIGTERM finishes the open segment and ends.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

from watchfiles import watch

MOST_SECONDS = 3600  # of changes without a pause before it archives all the same


def archive(photos: str, target: str, stop: threading.Event) -> None:
    """Run `batchcomp compress` to its end, or to the end of its open segment when asked to stop."""
    command = [sys.executable, "-m", "batchcomp", "compress", photos, "-o", target, "--quiet"]
    with subprocess.Popen(command) as process:  # noqa: S603 - our own, with the caller's two paths
        while process.poll() is None:
            if stop.wait(0.2):
                process.terminate()
                process.wait()


def main(arguments: Sequence[str]) -> None:
    """Watch until a signal comes."""
    if len(arguments) not in {2, 3}:
        sys.exit("usage: watch.py PHOTOS ARCHIVE [SECONDS]")
    photos, target, quiet = arguments[0], arguments[1], float(arguments[2]) if len(arguments) > 2 else 60.0
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    changed = threading.Event()
    changed.set()  # the first run takes all that is there

    def look() -> None:
        for _ in watch(photos, step=round(1000 * quiet), debounce=1000 * MOST_SECONDS, stop_event=stop):
            changed.set()

    watcher = threading.Thread(target=look, daemon=True)  # sees what changes while a run is on, too
    watcher.start()
    while not stop.wait(0.2):
        if not watcher.is_alive():
            sys.exit(f"{photos}: cannot be watched; does the folder exist?")
        if changed.is_set():
            changed.clear()
            archive(photos, target, stop)


if __name__ == "__main__":
    main(sys.argv[1:])
