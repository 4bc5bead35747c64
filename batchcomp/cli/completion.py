"""What the shell offers at TAB beyond options and commands: archives. Other files are left to the shell itself."""

from __future__ import annotations

import os
import re

# Completion passes through the shell's own evaluation (zsh), so a name must be harmless in it.
_HARMLESS = re.compile(r"[\w./@+,=%-]+")


def archives(incomplete: str) -> list[str]:
    """Return the archives (`NAME.bca/`) that the word could become; none means that the shell offers its files."""
    folder = os.path.dirname(incomplete)  # noqa: PTH120 - of what was typed: "./a" must stay "./a"
    try:
        with os.scandir(folder or ".") as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(".bca") and entry.is_dir())
    except OSError:
        return []
    found = [os.path.join(folder, name) for name in names]  # noqa: PTH118 - as above
    return [path for path in found if path.startswith(incomplete) and _HARMLESS.fullmatch(path)]
