"""Requests to a service that may be slow, busy or broken: timeouts, retries with growing pauses, a limited rate."""

from __future__ import annotations

import email.utils
import os
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deidlab.types import ConfigError, DataError

BUSY = (408, 409, 425, 429, 500, 502, 503, 504, 529)  # worth asking again
REFUSED = (401, 403, 404, 405)  # no note will fare better


def secret(variable: str | None, system: str) -> str | None:
    """A key from an environment variable, so that it stands in no config and no output; None where none is named.

    Raises `ConfigError` when the variable is named and not set.
    """
    if variable is None:
        return None
    if not (value := os.environ.get(variable)):
        raise ConfigError(f"system={system} takes its key from the environment variable {variable}, which is not set")
    return value


@dataclass
class Endpoint:
    """POSTs JSON and gives JSON back; safe to use from several threads.

    `attempts` counts the first one too. Between attempts it waits as long as the service says (`Retry-After`), else
    `pause` seconds, doubled each time; never more than `longest_pause`. `per_minute` spaces requests evenly. Messages
    of errors have the status, never what was sent or answered.
    """

    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 120.0
    attempts: int = 5
    pause: float = 1.0
    longest_pause: float = 60.0
    per_minute: float | None = None
    retried: int = 0
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _client: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        try:
            import httpx
        except ImportError:
            raise ConfigError('network systems need httpx: pip install -e ".[network]"') from None
        if not self.base_url.startswith(("http://", "https://")):
            raise ConfigError(
                f"base_url is {self.base_url!r}; expected https://HOST/..., or http:// for a local server"
            )
        if self.attempts < 1 or self.timeout <= 0 or (self.per_minute is not None and self.per_minute <= 0):
            raise ConfigError("attempts must be at least 1, timeout and per_minute above 0")
        # Redirects are not followed: a note goes to the host that was named and to no other.
        self._client = httpx.Client(timeout=self.timeout, headers=dict(self.headers), follow_redirects=False)

    def post(self, path: str, body: Mapping[str, Any], parameters: Mapping[str, str] | None = None) -> Any:
        """The decoded answer. Raises `ConfigError` when the service refuses us, `DataError` when it does not answer."""
        import httpx

        url = self.base_url.rstrip("/") + path
        trouble = ""
        for attempt in range(self.attempts):
            self._await_turn()
            wait = min(self.pause * 2**attempt * random.uniform(0.8, 1.2), self.longest_pause)
            try:
                answer = self._client.post(url, json=body, params=parameters)
            except httpx.TimeoutException:
                trouble = f"no answer within {self.timeout:g} s"
            except httpx.TransportError as error:
                trouble = f"the connection failed ({type(error).__name__})"
            else:
                if answer.status_code == 200:
                    return decoded(answer)
                trouble = f"status {answer.status_code}"
                if answer.status_code in REFUSED:
                    raise ConfigError(f"{self.base_url} answered with {trouble}: check the key, base_url and the model")
                if answer.status_code not in BUSY:
                    raise DataError(f"the service answered with {trouble}")
                wait = min(asked_to_wait(answer.headers.get("retry-after"), wait), self.longest_pause)
            if attempt + 1 < self.attempts:
                with self._lock:
                    self.retried += 1
                time.sleep(wait)
        raise DataError(f"the service did not answer in {self.attempts} attempts, the last time: {trouble}")

    def _await_turn(self) -> None:
        """Wait for this request's place in the minute."""
        if self.per_minute is None:
            return
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + 60 / self.per_minute
        time.sleep(max(0.0, turn - time.monotonic()))


def decoded(answer: Any) -> Any:
    """The JSON of an answer; raises `DataError` when it is none, without quoting it."""
    try:
        return answer.json()
    except ValueError:  # from None: the message would quote the answer
        raise DataError("the service answered with something that is not JSON") from None


def asked_to_wait(header: str | None, otherwise: float) -> float:
    """Seconds that a `Retry-After` header asks for, given as a number or a date; `otherwise` without one."""
    if header is None:
        return otherwise
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except (TypeError, ValueError):
        return otherwise
