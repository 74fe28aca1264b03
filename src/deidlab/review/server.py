"""The review page behind HTTP: a queue, its notes one at a time, and decisions that are on the disk when answered."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from importlib.resources import files
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from deidlab.review.access import Access
from deidlab.review.agreement import agreements
from deidlab.review.decisions import NotSaved
from deidlab.review.desk import Conflict, Desk
from deidlab.review.messages import Decided, Place, Reviewer, Undone, note_view, progress_view, queue_view
from deidlab.review.opinions import Malformed
from deidlab.service.guard import Guard, complaints
from deidlab.types import DeidlabError

PAGE = files("deidlab.review").joinpath("page")
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
PATHS = frozenset({"/", "/queue", "/progress", "/note", "/decide", "/undo", "/agreement"})
STATUS = {Conflict: 409, Malformed: 422, NotSaved: 507}

Asking = Annotated[Reviewer, Query()]
Number = Annotated[int, Query(ge=0)]


class Stale(DeidlabError):
    """A page that knows an earlier start of the server."""


def create(desk: Desk, used: Callable[[str], None] = lambda token: None) -> Access:
    """The page as an ASGI application; `used` hears of the token of the next link when one has been used."""
    epoch = secrets.token_hex(8)
    app = FastAPI(title="deidlab review", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(RequestValidationError, malformed)  # type: ignore[arg-type]

    def answered(number: int, reviewer: str) -> JSONResponse:
        if not number < len(desk.queue):
            raise HTTPException(404, "the queue has no note of this number")
        with desk.lock:
            return JSONResponse(note_view(desk, number, reviewer))

    def check_epoch(known: str) -> None:
        if known != epoch:
            raise Stale("the server was restarted since this page was loaded: reload it")

    @app.exception_handler(DeidlabError)
    async def refused(_: Request, error: DeidlabError) -> JSONResponse:
        status = 409 if isinstance(error, Stale) else STATUS.get(type(error), 500)
        return JSONResponse({"detail": str(error), "reload": isinstance(error, Stale)}, status)

    for part in PAGE.iterdir():
        path = "/" if part.name == "page.html" else f"/{part.name}"
        app.add_route(path, served(part.read_bytes(), f"{TYPES[part.name.rpartition('.')[2]]}; charset=utf-8"))

    @app.get("/queue")
    def queue(reviewer: Asking) -> Response:
        with desk.lock:
            return JSONResponse(queue_view(desk, epoch, reviewer))

    @app.get("/progress")
    def progress(reviewer: Asking) -> Response:
        with desk.lock:
            return JSONResponse(progress_view(desk, reviewer))

    @app.get("/note")
    def note(number: Number, reviewer: Asking) -> Response:
        return answered(number, reviewer)

    @app.post("/decide")
    def decide(decided: Decided) -> Response:
        check_epoch(decided.epoch)
        desk.decide(
            decided.number, decided.fingerprint, decided.reviewer, decided.base, decided.action,
            _span(decided.span), _span(decided.to),
        )  # fmt: skip
        return answered(decided.number, decided.reviewer)

    @app.post("/undo")
    def undo(undone: Undone) -> Response:
        check_epoch(undone.epoch)
        return answered(desk.undo(undone.reviewer, undone.expected), undone.reviewer)

    @app.get("/agreement")
    def agreement() -> list[dict[str, Any]]:
        with desk.lock:
            numbers = desk.queue.numbers
            found = agreements(desk.opinions)
        return [{**one.to_dict(), "different": [numbers[note] for note in one.different]} for one in found]

    return Access(Guard(app, PATHS, most_bytes=2**16), used)


def served(content: bytes, kind: str) -> Callable[[Request], Response]:
    return lambda _: Response(content, headers={"content-type": kind})


def _span(place: Place | None):
    return None if place is None else place.span()


async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
    """What is wrong with a request and where, without what stands there."""
    known = {"body", "query", "number", *Decided.model_fields, *Undone.model_fields, *Place.model_fields}
    return JSONResponse({"detail": complaints(error.errors(), known)}, 422)
