"""A server on this machine that answers as a test says, and keeps what it was asked."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class Asked:
    """One request: its path, headers in small letters, decoded body, and when it came."""

    path: str
    headers: dict[str, str]
    body: Any
    at: float


@dataclass
class Service:
    """`answer(asked)` gives the reply to a request; `asked` has all requests so far.

    A reply is `{"body": JSON or bytes, "status": 200, "headers": {}, "after": seconds}`, all but the body as needed.
    """

    url: str = ""
    answer: Callable[[Asked], dict] = lambda asked: {"body": {}}
    asked: list[Asked] = field(default_factory=list)

    def replies(self, *replies: dict) -> None:
        """Answer with these in turn, the last one from then on."""
        left = list(replies)
        self.answer = lambda asked: left.pop(0) if len(left) > 1 else left[0]


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {key.lower(): value for key, value in self.headers.items()}
            with lock:
                asked = Asked(self.path, headers, json.loads(content), time.monotonic())
                found.asked.append(asked)
                reply = found.answer(asked)
            time.sleep(reply.get("after", 0))
            body = reply["body"] if isinstance(reply["body"], bytes) else json.dumps(reply["body"]).encode()
            try:
                self.send_response(reply.get("status", 200))
                for key, value in {"content-type": "application/json", **reply.get("headers", {})}.items():
                    self.send_header(key, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # who asked has given up waiting
                pass

        def log_message(self, *arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()
