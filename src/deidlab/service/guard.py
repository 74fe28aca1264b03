"""What stands before the service: size, content type and token of a request, and a log that knows nothing of it."""

from __future__ import annotations

import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from deidlab.deidentifier import reason

log = logging.getLogger("deidlab.service")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class Refusal(Exception):
    """An answer that is given without asking the service."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


@dataclass(frozen=True)
class Guard:
    """An ASGI application around another.

    `open_paths` need no token; `paths` may be named in the log, for any other path may hold anything.
    """

    application: Application
    paths: frozenset[str]
    token: bytes | None = None
    open_paths: frozenset[str] = frozenset({"/health"})
    most_bytes: int = 4 * 2**20
    observed: Callable[[str, int, float], None] = lambda path, status, seconds: None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        path = scope["path"] if scope["path"] in self.paths else "other"

        async def noting(message: Message) -> None:
            nonlocal status
            status = message["status"] if message["type"] == "http.response.start" else status
            await send(message)

        try:
            self._check_token(path, headers_of(scope))
            if scope["method"] == "POST" and path != "other":
                check_type(headers_of(scope))
                receive = await self._read(headers_of(scope), receive)
            await self.application(scope, receive, noting)
        except Refusal as refusal:
            await refuse(noting, refusal)
        except Exception as error:  # its message, and the log of whoever caught it next, might quote a note
            log.error("%s failed: %s", path, reason(error))
            if not status:
                await refuse(noting, Refusal(500, "a fault of the service; its log says where"))
        seconds = time.perf_counter() - began
        self.observed(path, status, seconds)
        log.info("%s %s %d %.0f ms", scope["method"] if path != "other" else "-", path, status, 1000 * seconds)

    def _check_token(self, path: str, headers: Mapping[bytes, bytes]) -> None:
        if self.token is None or path in self.open_paths:
            return
        kind, _, given = headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() != b"bearer" or not hmac.compare_digest(given.strip(), self.token):
            raise Refusal(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})

    async def _read(self, headers: Mapping[bytes, bytes], receive: Receive) -> Receive:
        """The body as a whole, and no more of it than is allowed, whatever length it declares."""
        too_large = Refusal(413, f"the body has more than {self.most_bytes:,} bytes")
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > self.most_bytes:
            raise too_large
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refusal(400, "the request is not whole")
            body += message.get("body", b"")
            if len(body) > self.most_bytes:
                raise too_large
            if not message.get("more_body"):
                break
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replayed() -> Message:
            return whole.pop() if whole else await receive()

        return replayed


def headers_of(scope: Mapping[str, Any]) -> dict[bytes, bytes]:
    return {name.lower(): value for name, value in scope["headers"]}


def check_type(headers: Mapping[bytes, bytes]) -> None:
    """Refuse a body that is not declared as plain JSON in UTF-8."""
    kind, *parameters = (part.strip().lower() for part in headers.get(b"content-type", b"").split(b";"))
    charsets = [part.removeprefix(b"charset=").strip(b'"') for part in parameters if part.startswith(b"charset=")]
    if kind != b"application/json" or any(charset not in (b"utf-8", b"utf8") for charset in charsets):
        raise Refusal(415, "expected Content-Type: application/json, in UTF-8")
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise Refusal(415, "expected a body without Content-Encoding")


async def refuse(send: Send, refusal: Refusal) -> None:
    body = json.dumps({"detail": refusal.detail}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **refusal.headers}
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


def complaints(errors: Iterable[Mapping[str, Any]], ours: Collection[str]) -> list[dict[str, Any]]:
    """Pydantic's errors as what is wrong and where, without the input; keys that are not `ours` are `?`."""
    return [
        {
            "loc": [part if isinstance(part, int) or part in ours else "?" for part in one["loc"]],
            "type": one["type"],
            "msg": one["msg"],
        }
        for one in errors
    ]
