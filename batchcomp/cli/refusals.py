"""What the system refused a command and nobody on the way expected, as one line."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

_ADVICE: Final = {
    errno.EACCES: "check who may read and write there",
    errno.EPERM: "check who may read and write there",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOSPC: "free some space and run again",
    errno.EDQUOT: "free some space and run again",
    errno.EROFS: "choose a folder that can be written to",
    errno.EMFILE: "raise the limit of open files (ulimit -n) or lower --jobs",
    errno.EIO: "check the disk",
    errno.ELOOP: "check the links on the way there",
}
_GONE: Final = "the current folder was deleted; change to another one and run again"


def refusal(error: OSError) -> str | None:
    """Say where, why, and the next step; None where the error says neither where nor what, and is a fault of ours."""
    advice = _ADVICE.get(error.errno or 0)
    if error.filename is None:
        if isinstance(error, FileNotFoundError) and not _has_folder():
            return _GONE
        return f"{error.strerror}; {advice}" if advice else None
    advice = advice or "check that it is there and its disk is sound"
    return f"{error.filename}: {error.strerror or error}; {advice}"


def _has_folder() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True
