"""Who may look: this machine's browsers, by a link that opens once; and what a browser may do with the page."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from deidlab.service.guard import Application, Message, Receive, Refusal, Send, headers_of, refuse

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",  # the notes are not to be found on the disk of a browser
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
TWELVE_HOURS = 12 * 3600


class Access:
    """An ASGI application around another: a link's token is exchanged for a cookie, once, and the cookie is demanded.

    `token` opens the next browser; `used` hears of the one that takes its place. A request under a name that is not
    this machine's is refused, whatever it carries: so ends the rebinding of a stranger's name to 127.0.0.1.
    """

    def __init__(self, application: Application, used: Callable[[str], None] = lambda token: None) -> None:
        self.application, self.used = application, used
        self.token = secrets.token_urlsafe(24)
        self._sessions: set[str] = set()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *ours]}
            await send(message)

        try:
            check_names(headers_of(scope))
            if given := parse_qs(scope["query_string"]).get(b"token"):
                raise self._welcomed(scope, given[0])
            if not self._known(scope):
                raise Refusal(401, "open the link that `deidlab review` has printed; one from before a restart is void")
        except Refusal as refusal:
            await refuse(guarded, refusal)
            return
        await self.application(scope, receive, guarded)

    def _welcomed(self, scope: MutableMapping[str, Any], given: bytes) -> Refusal:
        """The way in for a browser with the right token: a cookie, and the page without the token in its address."""
        if not hmac.compare_digest(given, self.token.encode()):
            return Refusal(403, "this link has been used, or is of another start: use the last one printed")
        session = secrets.token_urlsafe(24)
        self._sessions.add(session)
        self.token = secrets.token_urlsafe(24)
        self.used(self.token)
        cookie = f"{cookie_name(scope)}={session}; Path=/; Max-Age={TWELVE_HOURS}; HttpOnly; SameSite=Strict"
        return Refusal(303, "welcome", {"location": "/", "set-cookie": cookie})

    def _known(self, scope: MutableMapping[str, Any]) -> bool:
        try:
            cookies = SimpleCookie(headers_of(scope).get(b"cookie", b"").decode("latin-1"))
        except CookieError:
            return False
        carried = cookies.get(cookie_name(scope))
        return carried is not None and any(hmac.compare_digest(carried.value, one) for one in self._sessions)


def cookie_name(scope: MutableMapping[str, Any]) -> str:
    """Cookies are shared by all ports of a host: each review has its own."""
    return f"deidlab_review_{(scope.get('server') or ('', 0))[1]}"


def check_names(headers: dict[bytes, bytes]) -> None:
    """Raise `Refusal` for a request that is not meant for this machine, or comes from another site's page."""
    host = headers.get(b"host", b"").decode("latin-1")
    if not is_this_machine(host):
        raise Refusal(421, "this page is served to this machine only, as 127.0.0.1 or localhost")
    origin = headers.get(b"origin")
    if origin is not None and origin.decode("latin-1") != f"http://{host}":
        raise Refusal(403, "requests of other sites are refused")


def is_this_machine(host: str) -> bool:
    """Whether a Host header, with or without a port, names the machine itself."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
