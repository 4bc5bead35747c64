"""What is said where there is no memory, and what is refused before it ends a run."""

from __future__ import annotations

import errno
from contextlib import suppress

TOO_LITTLE_MEMORY = (
    "not enough memory; what was finished is kept: allow this process more (ulimit -v, MemoryMax), "
    "or take less at a time with --jobs 1"
)
# What is said by those that raise no MemoryError: torch, the loader of libraries, threads, processes.
_OUT_OF_MEMORY = (
    "allocate memory", "out of memory", "not enough memory", "failed to map segment", "cannot map zero-fill",
    "start new thread", "cannot create shared object",
)  # fmt: skip
LEAST_ROOM = 512 << 20  # bytes of address space; with 360 MB some libraries crashed
_RESTORING = frozenset(("compress", "decode", "serve", "bench", "train"))  # commands that run the networks


def require_room(command: str) -> None:
    """Refuse to begin where the limit of address space (`ulimit -v`) is below what native libraries need to load.

    They write to memory that they did not get, and end the process.

    Raises:
        MemoryError: it is.
    """
    if command not in _RESTORING:
        return
    with suppress(ImportError):  # Windows has no such limits
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY and limit < LEAST_ROOM:
            raise MemoryError


def lacks_memory(error: BaseException) -> bool:
    """Tell whether an error, or one that it came from, means that the system gives this process no more memory."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or (isinstance(seen, OSError) and seen.errno == errno.ENOMEM):
            return True
        if isinstance(seen, OSError | RuntimeError | ImportError) and any(
            words in str(seen).lower() for words in _OUT_OF_MEMORY
        ):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
