"""What is asked at which address, and what is answered.

    /                       the page
    /api/pictures           a page of the list: `folder`, `text`, `since`, `before`, `order`, `start`, `count`, `around`
    /api/folders            folders right below `under`
    /api/picture/KEY        one version of a picture, and the keys of its other versions
    /api/compare/KEY        its versions for the slider
    /thumb/KEY  /view/KEY   small; restored
    /stored/KEY             the entry as it is
    /download/KEY/FORMAT    restored, as a file

KEY is of a version that the archive holds: nothing else can be named. All but the page is JSON or a picture.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import anyio
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from batchcomp.archive import Row
from batchcomp.errors import PictureError
from batchcomp.report.rows import report_row
from batchcomp.report.text import printable
from batchcomp.serve.catalogue import MOST_ITEMS, Catalogue, Held
from batchcomp.serve.gallery import Gallery
from batchcomp.serve.guard import Guard
from batchcomp.serve.pictures import FORMATS, Pictures, formats_of, reason_of, saved_name, shows_stored, stored_name
from batchcomp.serve.query import MOST_TEXT, ORDERS, Query
from batchcomp.serve.shared_work import AbandonedError, BusyError, Result, SharedWork

FOREVER: Final = "private, max-age=31536000, immutable"  # a key never stands for anything else
BUSY: Final = "busy: too many pictures are asked for; try again"
BUSY_SECONDS: Final = 2
LOOK_SECONDS: Final = 2.0  # between two looks at the archive
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")
_FAILED: Final = 422

Make = Callable[[Row], Result]


@dataclass(frozen=True)
class _Wanted:
    """What is made of a row.

    Attributes:
        work: where it is made.
        what: a word that tells it from what else is made of the row.
        make: makes it.
        name: of the file to be saved, "" for what is shown.
        immutable: whether it is the same for ever, so that browsers may keep it.
    """

    work: SharedWork
    what: str
    make: Make
    name: Callable[[Row], str] = lambda _: ""
    immutable: bool = True


class Answers:
    """The answers of one archive."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    @property
    def _catalogue(self) -> Catalogue:
        return self._gallery.catalogue

    @property
    def _pictures(self) -> Pictures:
        return self._gallery.pictures

    async def page(self, _request: Request) -> Response:
        """The page."""
        policy, page = self._gallery.page
        return HTMLResponse(page, headers={"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"})

    async def list_pictures(self, request: Request) -> Response:
        """A page of the list."""
        query = _query(request)
        around = request.query_params.get("around")
        start, count = _number(request, "start") or 0, _number(request, "count") or MOST_ITEMS
        place = await run_sync(self._catalogue.around, query, around) if around else None
        found = await run_sync(self._catalogue.page, query, start, count)
        return JSONResponse(
            {
                "state": found.state,
                "complete": self._catalogue.complete,
                "problems": [printable(problem) for problem in self._catalogue.problems[:20]],
                "total": found.total,
                "start": start,
                "place": place,
                "items": [[one.key, printable(one.path), *_shown(one.row)] for one in found.items],
            }
        )

    async def list_folders(self, request: Request) -> Response:
        """The folders right below one."""
        under = request.query_params.get("under", "")
        found = await run_sync(self._catalogue.folders, under)
        return JSONResponse([[one.path, printable(one.path.rpartition("/")[2]), one.pictures] for one in found])

    async def describe(self, request: Request) -> Response:
        """One version of a picture."""
        held = await self._held(request)
        if held is None:
            return _missing()
        versions = await run_sync(self._catalogue.versions, held.path)
        original = bool(held.row and await run_sync(self._pictures.has_original, held.row))
        return JSONResponse(
            {
                **_about(held),
                "original": original,
                "versions": [[one.key, one.number, _seconds(one.archived), one.row is not None] for one in versions],
            }
        )

    async def thumbnail(self, request: Request) -> Response:
        """A small picture."""
        return await self._made(request, _Wanted(self._gallery.small, "thumb", self._pictures.thumbnail))

    async def view(self, request: Request) -> Response:
        """The restored picture."""
        return await self._made(request, _Wanted(self._gallery.large, "view", self._pictures.view))

    async def compare(self, request: Request) -> Response:
        """The versions of a picture; not kept by browsers, since originals come and go."""
        return await self._made(
            request, _Wanted(self._gallery.large, "compare", self._pictures.compared, immutable=False)
        )

    async def stored(self, request: Request) -> Response:
        """The entry; as a file to save unless it is a picture that browsers show."""
        saved = "save" in request.query_params

        def name(row: Row) -> str:
            return stored_name(row) if saved or not shows_stored(row.stored) else ""

        return await self._made(request, _Wanted(self._gallery.small, "stored", self._pictures.stored, name))

    async def download(self, request: Request) -> Response:
        """The restored picture as a file."""
        form = request.path_params["form"]
        if form not in FORMATS:
            return _missing()
        make, name = partial(self._pictures.download, name=form), partial(saved_name, name=form)
        return await self._made(request, _Wanted(self._gallery.large, form, make, name))

    async def _held(self, request: Request) -> Held | None:
        return await run_sync(self._catalogue.held, request.path_params["key"])

    async def _made(self, request: Request, wanted: _Wanted) -> Response:
        """Answer with what is made of the row that a request names, or why it cannot be made."""
        held = await self._held(request)
        if held is None:
            return _missing()
        if held.row is None:
            return _failed(held.reason)
        key = f"{wanted.what}-{held.key}"
        tag, kept = f'"{key}"', {"Cache-Control": FOREVER} if wanted.immutable else {}
        if wanted.immutable and tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={"ETag": tag, **kept})
        try:
            result = await wanted.work.get(key, partial(wanted.make, held.row), request.is_disconnected)
        except (BusyError, AbandonedError):  # nobody reads the answer to what was abandoned
            return JSONResponse({"error": BUSY}, 503, {"Retry-After": str(BUSY_SECONDS)})
        except (PictureError, OSError, MemoryError) as error:
            return _failed(reason_of(held.row, error))
        headers = {"Content-Length": str(result.size), "ETag": tag, **kept}
        if name := wanted.name(held.row):
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
        return StreamingResponse(result.chunks(), media_type=result.kind, headers=headers)


def application(gallery: Gallery, *, hosts: frozenset[str], token: str = "") -> Starlette:
    """Return the ASGI application of an archive; while it runs, the archive is looked at now and then.

    Args:
        gallery: the archive, opened for it; closed at the end.
        hosts: names that `Host` may have; see `Guard`.
        token: what must be known, "" for nothing.
    """
    answers = Answers(gallery)

    @asynccontextmanager
    async def running(_app: Starlette) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_look, gallery)
            try:
                yield
            finally:
                tasks.cancel_scope.cancel()
                gallery.close()

    def route(path: str, answer: Callable[[Request], Awaitable[Response]]) -> Route:
        return Route(path, answer, methods=["GET"])

    routes = [
        route("/", answers.page),
        route("/api/pictures", answers.list_pictures),
        route("/api/folders", answers.list_folders),
        route("/api/picture/{key}", answers.describe),
        route("/api/compare/{key}", answers.compare),
        route("/thumb/{key}", answers.thumbnail),
        route("/view/{key}", answers.view),
        route("/stored/{key}", answers.stored),
        route("/download/{key}/{form}", answers.download),
    ]
    return Starlette(routes=routes, lifespan=running, middleware=[Middleware(Guard, hosts=hosts, token=token)])


async def _look(gallery: Gallery) -> None:
    """Look at the archive again and again."""
    while True:
        await run_sync(gallery.catalogue.refresh)
        await anyio.sleep(LOOK_SECONDS)


def _query(request: Request) -> Query:
    """Return what is looked for; what makes no sense is as if it were not there."""
    given = request.query_params
    order = given.get("order", "name")
    return Query(
        folder=given.get("folder", ""),
        text=given.get("text", "")[:MOST_TEXT],
        since=_number(request, "since"),
        before=_number(request, "before"),
        order=order if order in ORDERS else "name",
    )


def _number(request: Request, name: str) -> int | None:
    given = request.query_params.get(name, "")
    return int(given) if _NUMBER.fullmatch(given) else None


def _shown(row: Row | None) -> tuple[str, int, int, int]:
    """Return what a list shows: how it is stored, "" where its row is damaged, width, height, time of change."""
    return (row.stored, row.width, row.height, row.mtime_ns // 10**9) if row else ("", 0, 0, 0)


def _about(held: Held) -> dict[str, Any]:
    """Return what is told of one version."""
    about: dict[str, Any] = {
        "key": held.key,
        "path": printable(held.path),
        "version": held.number,
        "archived": _seconds(held.archived),
        "reason": printable(held.reason),
    }
    row = held.row
    if row is None:
        return about
    found = report_row(row)
    return about | {
        "stored": row.stored,
        "formats": formats_of(row),
        "why": printable(row.reason),
        "width": row.width,
        "height": row.height,
        "quality": row.quality,
        "changed": row.mtime_ns // 10**9,
        "source_bytes": row.source_bytes,
        "archived_bytes": row.payload_bytes,
        "jpeg_bytes": found.jpeg_bytes,
        "ms_ssim": row.ms_ssim,
        "ssimulacra2": row.ssimulacra2,
        "shows_stored": shows_stored(row.stored),
    }


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())


def _missing() -> Response:
    return JSONResponse({"error": "there is no such picture in the archive (any more)"}, 404)


def _failed(reason: str) -> Response:
    return JSONResponse({"error": reason}, _FAILED)
