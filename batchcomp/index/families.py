"""Which paths `decode` might restore under each other's names.

Those are names in one folder that are alike up to the first dot or tilde, to a disk that ignores case and how accents
are written. Nearly all names are plain there: ASCII, all capitals or all small letters, such as `IMG_0001.jpg`. Those
are found by their paths, since there are two ways to write them; other rows have a number, by which they are found.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from batchcomp.archive.names import clash_key
from batchcomp.escapes import real_path

LONGEST: Final = 40  # letters of a name that count; where names are cut is far behind
_END_OF_STEM: Final = re.compile("[.~]")


def family_of(path: str) -> int:
    """Return a number that is the same for all paths of a family. Others may have it too, by chance."""
    folder, _, name = path.rpartition("/")  # no letter of a name combines with a slash
    return (_folder_checksum(folder) << 32 | _checksum(stem_of(name))) - 2**63


def row_family(path: str) -> int | None:
    """Return the number of a picture's family; None where its name is plain."""
    stem = _END_OF_STEM.split(path.rpartition("/")[2], maxsplit=1)[0]
    is_plain = stem.isascii() and len(stem) < LONGEST and "%" not in stem and stem in {stem.lower(), stem.upper()}
    return None if is_plain else family_of(path)


def same_folder(one: str, other: str) -> bool:
    """Tell whether two paths of folders are one on such a disk."""
    return _folder_key(one) == _folder_key(other)


def folders_above(path: str) -> Iterator[str]:
    """Yield the folders above a path, the nearest first."""
    while path := path.rpartition("/")[0]:
        yield path


def stem_of(name: str) -> str:
    """Return what of a name counts, as such a disk has it."""
    return _END_OF_STEM.split(clash_key(real_path(name)), maxsplit=1)[0][:LONGEST]


def _folder_key(folder: str) -> str:
    return clash_key(real_path(folder))


@lru_cache(maxsize=4096)
def _folder_checksum(folder: str) -> int:
    return _checksum(_folder_key(folder))


def _checksum(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))
