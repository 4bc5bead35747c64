"""How freed memory goes back to the system, and what is said where there is none.

glibc keeps large pieces that were freed, in a pool for each thread, and raises by itself the size from which a piece is
mapped alone and given back at once. Pictures come in all sizes and go through several threads, so that what is kept is
many times what is used.
"""

from __future__ import annotations

import ctypes
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
MAPPED_FROM = 24 << 20  # bytes: pictures are larger; layers of the networks and the blocks of Pillow are smaller
LEAST_ROOM = 512 << 20  # bytes of address space; with 360 MB some libraries crashed
_RESTORING = frozenset(("compress", "decode", "serve", "bench", "train"))  # commands that run the networks
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h


def give_back_freed(threads: int) -> bool:
    """Let large pieces be given back as soon as they are freed, and so many threads have pools of their own.

    Returns:
        Whether this system can be told so; another one goes on without.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    told = [
        mallopt(_M_MMAP_THRESHOLD, MAPPED_FROM),
        mallopt(_M_TRIM_THRESHOLD, 2 * MAPPED_FROM),  # as glibc itself keeps it; else smaller pieces come and go too
        mallopt(_M_ARENA_MAX, max(2, threads)),
    ]
    return all(told)


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
