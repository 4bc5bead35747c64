"""One bucket of an object store, reached with obstore: tried again where that can help, its errors made OSErrors.

obstore's own retries are off: they leave out connections that were reset, and cannot be made short in tests. What it
says of an error holds addresses, which may be signed: only a status, a code and words of our own are passed on.
"""

from __future__ import annotations

import errno
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from batchcomp.archive.store.base import Identity, MissingStoreError, StaleError, StoreError
from batchcomp.places import Url

if TYPE_CHECKING:
    from obstore import ObjectMeta, PutMode, UpdateVersion
    from obstore.store import ObjectStore

T = TypeVar("T")
TRIES: Final = 8
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 16.0  # seconds between two tries; doubled each time, and up to half of it less
_TIMEOUT: Final = "600s"  # of one request, with the bytes of a segment
_CONNECT_TIMEOUT: Final = "15s"
_STATUS: Final = re.compile(r"status code: (\d{3})(?: ([A-Za-z -]{1,40}))?")
_CODE: Final = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_PASSING: Final = {408, 425, 429}  # and all from 500 on: what may be well a moment later
_NO_ETAG: Final = "no ETag: "
_NO_BUCKET: Final = ("NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist")
_METADATA: Final = ("169.254.169.254", "169.254.170.2", "metadata.google.internal")  # where clouds keep credentials
_CREDENTIALS: Final = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """What a bucket says of an object. `size` is in bytes, `modified` is by the store's clock."""

    name: str
    size: int
    identity: Identity
    modified: datetime


@dataclass(frozen=True, slots=True)
class Bucket:
    """The objects at and below an address. Names are relative to it. Several threads may use one Bucket.

    `sleep` waits between two tries; tests put their own in its place.
    """

    url: Url
    client: ObjectStore
    tries: int = TRIES
    sleep: Callable[[float], None] = time.sleep

    def head(self, name: str) -> Stored:
        """Return what is known of an object. Raises FileNotFoundError, StoreError."""
        import obstore  # noqa: PLC0415  # an extra

        return self._stored(self._call(name, lambda: obstore.head(self.client, self._path(name))))

    def get(self, name: str, start: int, end: int, identity: Identity | None = None) -> tuple[bytes, Stored]:
        """Return the bytes from `start` to before `end`, fewer where the object ends, and what it is.

        Raises:
            StaleError: `identity` is given, and the object is another one by now.
            FileNotFoundError, StoreError: as the names say.
        """
        import obstore  # noqa: PLC0415

        def get() -> tuple[bytes, ObjectMeta]:
            options: dict[str, Any] = {"range": (start, end)}
            if identity is not None and not identity.startswith(_NO_ETAG):
                options["if_match"] = self._e_tag(identity)
            result = obstore.get(self.client, self._path(name), options=options)  # type: ignore[arg-type]
            return bytes(result.bytes()), result.meta

        data, meta = self._call(name, get)
        stored = self._stored(meta)
        if identity not in {None, stored.identity}:
            raise StaleError(self.shown(name))
        return data, stored

    def put(self, name: str, source: Path | bytes, *, new: bool = False, identity: Identity | None = None) -> Identity:
        """Store an object whole: under a new name, in the place of a certain one, or whatever is there.

        A try after one whose answer was lost fails like one that came too late: the caller compares what is there.

        Raises:
            FileExistsError: `new`, and there is one.
            StaleError: `identity` is given, and the object is another one by now, or gone.
            StoreError: the store refuses, or cannot be reached.
        """
        import obstore  # noqa: PLC0415

        put = obstore.put
        try:
            mode: PutMode = "create" if new else "overwrite" if identity is None else self._update(name, identity)
            found = self._call(name, lambda: put(self.client, self._path(name), source, mode=mode, use_multipart=False))
        except FileNotFoundError:  # of what was to be replaced, as AWS says it
            raise StaleError(self.shown(name)) from None
        return found["e_tag"].strip('"') if found["e_tag"] else self.head(name).identity

    def _update(self, name: str, identity: Identity) -> UpdateVersion:
        """Return the condition that an object is still the same; Google knows it by its generation."""
        import obstore  # noqa: PLC0415

        if identity.startswith(_NO_ETAG):
            raise UnsupportedError("the store has no ETags", "see docs/remote.md for stores that have")
        if self.url.scheme != "gs":
            return {"e_tag": self._e_tag(identity)}
        meta = self._call(name, lambda: obstore.head(self.client, self._path(name)))
        if self._stored(meta).identity != identity:
            raise StaleError(self.shown(name))
        return {"e_tag": meta["e_tag"], "version": meta["version"]}

    def _e_tag(self, identity: Identity) -> str:
        """Return an ETag as the store takes it; they are compared without quotes, since Azure lists them so."""
        return identity if identity.startswith("W/") else f'"{identity}"'

    def delete(self, name: str) -> None:
        """Delete an object if it is there. Raises StoreError."""
        import obstore  # noqa: PLC0415

        with suppress(FileNotFoundError):
            self._call(name, lambda: obstore.delete(self.client, self._path(name)))

    def below(self, under: str = "") -> tuple[list[Stored], list[str]]:
        """Return the objects directly below a folder, and the names of the folders there. Raises StoreError."""
        import obstore  # noqa: PLC0415

        prefix = self._path(under)
        found = self._call(under, lambda: obstore.list_with_delimiter(self.client, prefix or None))
        folders = [self._name(path) for path in found["common_prefixes"]]
        return [stored for meta in found["objects"] if (stored := self._stored(meta)).name], folders

    def walk(self) -> Iterator[Stored]:
        """Yield all objects below the address in the order of the store, a page at a time. Raises StoreError."""
        import obstore  # noqa: PLC0415

        last = ""  # name of the last one that was yielded: a listing that breaks off goes on behind it
        while True:
            offset = self._path(last) if last else None
            page = self._call("", lambda offset=offset: self._page(obstore.list, offset))  # type: ignore[misc]
            yield from page
            if not page:
                return
            last = page[-1].name

    def _page(self, listing: Callable[..., Any], offset: str | None) -> list[Stored]:
        stream = listing(self.client, self.url.prefix or None, offset=offset, chunk_size=1000)
        return [self._stored(meta) for meta in next(iter(stream), ())]

    def shown(self, name: str) -> str:
        """Return the address of an object, or of the folder of all."""
        return f"{self.url}/{name}" if name else str(self.url)

    def _path(self, name: str) -> str:
        return "/".join(part for part in (self.url.prefix, name) if part)

    def _name(self, path: str) -> str:
        return path[len(self.url.prefix) :].lstrip("/") if self.url.prefix else path

    def _stored(self, meta: ObjectMeta) -> Stored:
        modified = meta["last_modified"].timestamp()
        identity = (meta["e_tag"] or "").strip('"') or f"{_NO_ETAG}{meta['size']}-{modified}"
        return Stored(self._name(meta["path"]), meta["size"], identity, meta["last_modified"])

    def _call(self, name: str, call: Callable[[], T]) -> T:
        """Make one request, again where the failure may pass. Raises OSError, never anything that holds an address."""
        from obstore.exceptions import BaseError  # noqa: PLC0415

        wait = _FIRST_WAIT
        for left in reversed(range(self.tries)):
            try:
                return call()
            except (BaseError, FileNotFoundError, TimeoutError, ConnectionError) as error:
                failure, passing = self._failure(name, error)
            if not (passing and left):
                break
            self._pause(wait * random.uniform(0.5, 1))  # noqa: S311  # so that many workers do not come at once
            wait = min(2 * wait, _LONGEST_WAIT)
        raise failure

    def _pause(self, seconds: float) -> None:
        self.sleep(seconds)

    def _failure(self, name: str, error: Exception) -> tuple[OSError, bool]:
        """Return what an error of the client comes to, and whether it may pass."""
        from obstore import exceptions as of  # noqa: PLC0415

        text, shown = str(error), self.shown(name)
        if any(words in text for words in _NO_BUCKET):
            kind = "container" if self.url.scheme == "az" else "bucket"
            return MissingStoreError(f"there is no {kind} {self.url.bucket!r}", "check the name, or create it"), False
        if isinstance(error, of.AlreadyExistsError):
            return taken(shown), False
        if isinstance(error, of.PreconditionError | of.NotModifiedError):
            return StaleError(shown), False
        if isinstance(error, FileNotFoundError | of.NotFoundError):
            return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), shown), False
        if isinstance(error, of.NotSupportedError):
            return UnsupportedError("the store does not support this", "see docs/remote.md for stores that do"), False
        return self._refusal(text, may_not=isinstance(error, of.PermissionDeniedError | of.UnauthenticatedError))

    def _refusal(self, text: str, *, may_not: bool) -> tuple[OSError, bool]:
        """Likewise, from what the store answered, of which only status and code are repeated."""
        status, code = _STATUS.search(text), _CODE.search(text)
        number = int(status[1]) if status else 0
        said = " ".join([*(filter(None, status.groups()) if status else ()), *([code[1]] if code else [])])
        names = _CREDENTIALS.get(self.url.scheme, "")
        passing = number >= 500 or number in {0, *_PASSING}
        reason, advice = f"the store refused ({said})", "check address and region (docs/remote.md)"
        if number == 416 or "object was only" in text:
            return BehindEndError("there are no bytes there", "run `batchcomp verify`"), False
        if number == 501:
            return UnsupportedError("the store does not support this", "see docs/remote.md for stores that do"), False
        if "TimeTooSkewed" in said:
            reason, advice = "the store says that this machine's clock is wrong", "set the clock and run again"
        elif any(address in text for address in _METADATA):
            passing = False
            reason, advice = "no credentials were found", f"set {names} in the environment (docs/remote.md)"
        elif may_not or number in {401, 403}:
            passing = False
            reason = f"access was refused ({said or 'no reason given'})"
            advice = f"check what may be done there, and the credentials in the environment ({names})"
        elif passing:
            reason = f"the store failed {self.tries} times ({said})" if number else "the store cannot be reached"
            advice = "check the network and the address, and run again; what is stored stays"
        return StoreError(reason, advice), passing


class BehindEndError(StoreError):
    """The object has no bytes from there on."""

    def __reduce__(self) -> tuple[type[StoreError], tuple[str, str]]:
        return BehindEndError, (self.reason, self.advice)


def taken(shown: str) -> FileExistsError:
    """Return the error of a name that another process was quicker to take."""
    error = FileExistsError(errno.EEXIST, "another run has stored something else under this name meanwhile", shown)
    error.advice = "what is stored stays; run again"  # type: ignore[attr-defined]
    return error


class UnsupportedError(StoreError):
    """The store cannot do what was asked of it."""

    def __reduce__(self) -> tuple[type[StoreError], tuple[str, str]]:
        return UnsupportedError, (self.reason, self.advice)


def connect(url: Url) -> Bucket:
    """Return the bucket at an address; nothing is asked of the store yet.

    Credentials, region and endpoint come from the environment.

    Raises:
        StoreError: the extra is not installed, or what the environment says makes no sense.
    """
    try:
        from obstore.exceptions import BaseError  # noqa: PLC0415
        from obstore.store import from_url  # noqa: PLC0415
    except ImportError as error:
        raise StoreError("object stores need obstore", "pip install 'batchcomp[remote]'") from error
    if url.scheme == "memory":
        return Bucket(url, _in_memory(url.bucket))
    plain = any(os.environ.get(name, "").startswith("http://") for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"))
    options: dict[str, Any] = {"timeout": _TIMEOUT, "connect_timeout": _CONNECT_TIMEOUT}
    if plain:  # asked for in so many words
        options["allow_http"] = True
    try:
        client = from_url(f"{url.scheme}://{url.bucket}", client_options=options, retry_config={"max_retries": 0})  # type: ignore[call-overload]
    except (BaseError, ValueError, TypeError):  # not chained: it may say what a variable holds
        names = _CREDENTIALS[url.scheme]
        raise StoreError("the environment names no usable store", f"check {names} (docs/remote.md)") from None
    return Bucket(url, client)


_memories: dict[str, ObjectStore] = {}


def _in_memory(name: str) -> ObjectStore:
    from obstore.store import MemoryStore  # noqa: PLC0415

    return _memories.setdefault(name, MemoryStore())
