"""Where an archive or its sources lie: in a folder of this machine, or at an address in an object store."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from batchcomp.errors import UsageError

SCHEMES: Final = ("s3", "gs", "az")  # what an address may begin with
_MEMORY: Final = "memory"  # of this process, for tests
_ADDRESS: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.DOTALL)
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Url:
    """An address in an object store: `s3://BUCKET/PREFIX`, `gs://...` or `az://CONTAINER/...`.

    It never holds credentials: those come from the environment, as the store's own tools take them.

    Attributes:
        scheme: of `SCHEMES`.
        bucket: the bucket, or container.
        prefix: what the names of all objects begin with, without `/` at either end; "" for the whole bucket.
    """

    scheme: str
    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")

    @property
    def name(self) -> str:
        """The last part: of the prefix, or the bucket."""
        return PurePosixPath(self.prefix or self.bucket).name

    @property
    def suffix(self) -> str:
        """What follows the last dot of the name, with it."""
        return PurePosixPath(self.name).suffix

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return PurePosixPath(self.name).stem

    def is_file(self) -> bool:
        """An archive, or a folder of sources, is never one object."""
        return False

    def resolve(self) -> Url:
        """An address is always whole."""
        return self

    def with_name(self, name: str) -> Url:
        """Return the address beside this one; inside the bucket where this one is all of it."""
        folder = self.prefix.rpartition("/")[0]
        return Url(self.scheme, self.bucket, f"{folder}/{name}" if folder else name)


Place = Path | Url
AnyPlace = str | os.PathLike[str] | Url


def place(text: AnyPlace) -> Place:
    """Return what a word on the command line names: a folder, or where it begins like one, an address.

    Raises:
        UsageError: it is an address that makes no sense, of a store that is not known, or with credentials in it.
    """
    if isinstance(text, Url):
        return text
    match = _ADDRESS.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return Path(text)
    scheme, rest = match[1], match[2]
    bucket, _, prefix = rest.partition("/")
    if "@" in bucket or "?" in rest or "#" in rest:  # not repeated: it may be a secret
        raise UsageError(
            f"{scheme}://...: the address has an @, ? or # in it; name only bucket and prefix, "
            "and give credentials by the environment (docs/remote.md)"
        )
    if scheme not in {*SCHEMES, _MEMORY}:
        known = ", ".join(f"{one}://" for one in SCHEMES)
        raise UsageError(f"{text}: {scheme}:// is not known; expected a folder, or an address that begins with {known}")
    parts = [part for part in prefix.split("/") if part]
    if not _BUCKET.fullmatch(bucket) or {".", ".."} & set(parts):
        raise UsageError(f"{text}: expected {scheme}://BUCKET/PREFIX, without . or .. in it")
    return Url(scheme, bucket, "/".join(parts))


def folder(text: AnyPlace) -> Path:
    """Like `place`, where only what lies on this machine will do.

    Raises:
        UsageError: it is an address.
    """
    found = place(text)
    if isinstance(found, Url):
        raise UsageError(f"{found}: lies in an object store, and a folder or file of this machine is needed here")
    return found
