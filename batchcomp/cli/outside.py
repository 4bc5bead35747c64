"""The files that stay outside an archive, for the commands that list them."""

from __future__ import annotations

from dataclasses import asdict

from batchcomp.cli import console
from batchcomp.places import Place


def show(folder: Place, *, as_json: bool) -> int:
    """List what failed and still stays outside, as the last runs left it; return how many files that are.

    Raises:
        ArchiveNotFoundError, ArchiveError: there is no archive, not even one into which nothing could be stored so far.
    """
    from batchcomp.archive.failures_file import read_failures
    from batchcomp.archive.reader import find_segments

    failures = read_failures(folder)
    if not failures:
        find_segments(folder)
    for one in failures:
        if as_json:
            fields = {name: value for name, value in asdict(one).items() if name not in {"conditions", "again"}}
            console.json_line("outside", **fields)
        else:
            console.write(console.shown(f"{one.path}: {one.reason} (since {one.since})") + "\n")
    if not failures and not as_json:
        console.say(f"{folder}: no file is known to stay outside")
    return len(failures)
