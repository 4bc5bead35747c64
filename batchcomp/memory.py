"""How freed memory goes back to the system.

glibc keeps large pieces that were freed, in a pool for each thread, and raises by itself the size from which a piece is
mapped alone and given back at once. Pictures come in all sizes and go through several threads, so that what is kept is
many times what is used.
"""

from __future__ import annotations

import ctypes
from typing import Final

MAPPED_FROM: Final = 24 << 20  # bytes: pictures are larger; layers of the networks and the blocks of Pillow are smaller
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


def give_back_now() -> bool:
    """Give back all that was freed, whatever its size: pieces stay with glibc where others in use lie behind them.

    It takes some 10 ms, and memory that is needed again is new to the system, a quarter of a second a gigabyte.

    Returns:
        Whether this system can be told so.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return False
    trim(0)
    return True
