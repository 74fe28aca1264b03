"""The service: a de-identifier behind HTTP, documented by its own OpenAPI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from deidlab import __version__
from deidlab.deidentifier import Deidentifier
from deidlab.service.batching import Answer, Asked, Batcher, Busy, answered
from deidlab.service.guard import Guard, complaints
from deidlab.service.messages import (
    AnalyzedNotes,
    DeidentifiedNotes,
    Health,
    Note,
    NoteAnalyzed,
    NoteDeidentified,
    Notes,
    Refused,
)

PATHS = frozenset({"/deidentify", "/analyze", "/health", "/metrics", "/openapi.json"})
REFUSALS = {
    400: "The body cannot be read: it is no UTF-8, or nested too deep.",
    401: "The token is missing or wrong.",
    413: "The body is too large.",
    415: "The body is not declared as JSON in UTF-8.",
    422: "The body is no JSON, or not the JSON that is expected.",
    503: "Too many notes wait.",
}


class Meters:
    """What `/metrics` tells: counts and times, nothing of any note."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("deidlab_requests", "Requests", ["path", "status"], registry=self.registry)
        self.seconds = Histogram("deidlab_request_seconds", "Time to answer", ["path"], registry=self.registry)
        self.notes = Counter("deidlab_notes", "Notes answered", ["path", "outcome"], registry=self.registry)
        sizes = [2**power for power in range(10)]
        self.batches = Histogram("deidlab_batch_notes", "Notes at once", buckets=sizes, registry=self.registry)
        self.waiting = Gauge("deidlab_waiting_characters", "Characters not yet answered", registry=self.registry)

    def answered(self, path: str, status: int, seconds: float) -> None:
        self.requests.labels(path, str(status)).inc()
        self.seconds.labels(path).observe(seconds)


def create(
    deidentifier: Deidentifier, *, token: bytes | None = None, most_bytes: int = 4 * 2**20, wait: float = 0.005
) -> Guard:
    """The service as an ASGI application.

    `token` is demanded of every request but `/health`; `most_bytes` bounds a body, `wait` (seconds) is how long a
    request waits for others to share its batch with.
    """
    meters = Meters()
    batcher = Batcher(partial(answered, deidentifier), wait=wait, observed=meters.batches.observe)
    meters.waiting.set_function(lambda: batcher.characters)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(batcher.close)

    # No /docs page: it would have the browser fetch scripts from elsewhere.
    app = FastAPI(
        title="deidlab",
        version=__version__,
        summary="Takes the identifiers out of clinical notes.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        dependencies=[Depends(HTTPBearer(auto_error=False))] if token else [],
    )
    app.add_exception_handler(RequestValidationError, refused)  # type: ignore[arg-type]
    described = {status: {"description": why, "model": Refused} for status, why in REFUSALS.items()}

    async def asked(notes: Notes, redact: bool) -> list[Answer]:
        try:
            waiting = batcher.submit([Asked(note.document(), redact) for note in notes.notes])
        except Busy as busy:
            raise HTTPException(503, str(busy), {"Retry-After": "1"}) from None
        return await asyncio.wrap_future(waiting)

    def counted(path: str, results: list) -> None:
        failed = sum(one.failed is not None for one in results)
        meters.notes.labels(path, "failed").inc(failed)
        meters.notes.labels(path, "done").inc(len(results) - failed)

    @app.post("/deidentify", responses=described)  # type: ignore[arg-type]
    async def deidentify(notes: Notes) -> DeidentifiedNotes:
        """Notes without their identifiers, in their order. A note that failed has no text, and says why."""
        answers = await asked(notes, redact=True)
        results = [NoteDeidentified.of(n.document().id, a) for n, a in zip(notes.notes, answers, strict=True)]
        counted("/deidentify", results)
        return DeidentifiedNotes(notes=results)

    @app.post("/analyze", responses=described)  # type: ignore[arg-type]
    async def analyze(notes: Notes) -> AnalyzedNotes:
        """Where the identifiers of notes are, in their order; nothing is replaced."""
        answers = await asked(notes, redact=False)
        results = [NoteAnalyzed.of(n.document().id, a) for n, a in zip(notes.notes, answers, strict=True)]
        counted("/analyze", results)
        return AnalyzedNotes(notes=results)

    @app.get("/health", responses={503: {"description": "No request would be answered.", "model": Refused}})
    async def health() -> Health:
        """Whether requests are answered; needs no token."""
        if not batcher.alive:
            raise HTTPException(503, "the worker has ended: restart the service")
        return Health(status="ok", version=__version__, system=deidentifier.system.name)

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}, 401: described[401]})
    async def metrics() -> Response:
        """Counts and times in the text format of Prometheus."""
        return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)

    return Guard(app, PATHS, token, most_bytes=most_bytes, observed=meters.answered)


async def refused(_: Request, error: RequestValidationError) -> JSONResponse:
    """What is wrong with a request and where, without what stands there: not even a key that is not ours."""
    ours = {"body", *Notes.model_fields, *Note.model_fields}
    return JSONResponse({"detail": complaints(error.errors(), ours)}, 422)
