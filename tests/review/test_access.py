import asyncio

import pytest

from deidlab.review.access import HEADERS, Access, is_this_machine


async def page(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"page"})


def get(access: Access, path: str = "/", query: str = "", **headers: str) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer."""
    headers = {"host": "127.0.0.1:8001", **headers}
    sent: list[dict] = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path, "query_string": query.encode(), "server": ("127.0.0.1", 8001),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    asyncio.run(access(scope, None, send))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.fixture
def access() -> Access:
    return Access(page)


def welcomed(access: Access) -> str:
    """The cookie that a link is exchanged for."""
    status, headers = get(access, query=f"token={access.token}")
    assert (status, headers["location"]) == (303, "/")
    return headers["set-cookie"]


def test_a_link_opens_one_browser_and_tells_of_the_next_link():
    told: list[str] = []
    access = Access(page, told.append)
    first = access.token
    cookie = welcomed(access)
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and first not in cookie
    assert get(access, cookie=cookie.partition(";")[0])[0] == 200
    assert get(access, query=f"token={first}")[0] == 403
    assert told == [access.token] and access.token != first
    welcomed(access)  # another browser


@pytest.mark.parametrize("cookie", ["", "deidlab_review_8001=x", "deidlab_review_8001", "a=b; ;;", "\xff"])
def test_without_the_cookie_there_is_nothing(access, cookie):
    welcomed(access)
    status, headers = get(access, "/note", cookie=cookie.encode("latin-1", "replace").decode("latin-1"))
    assert status == 401
    assert headers["content-type"] == "application/json"


def test_a_wrong_token_is_refused_even_with_the_cookie(access):
    cookie = welcomed(access).partition(";")[0]
    assert get(access, query="token=wrong", cookie=cookie)[0] == 403


def test_two_reviews_on_one_machine_have_cookies_of_their_own(access):
    assert welcomed(access).startswith("deidlab_review_8001=")


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8001", True),
        ("localhost", True),
        ("localhost:9999", True),  # a port that SSH forwards
        ("[::1]:8001", True),
        ("127.0.0.9", True),
        ("evil.example:8001", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("192.168.0.7", False),
        ("127.0.0.1@evil.example", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_only_names_of_this_machine_are_answered(access, host, ours):
    assert is_this_machine(host) == ours
    cookie = welcomed(access).partition(";")[0]
    assert get(access, host=host, cookie=cookie)[0] == (200 if ours else 421)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8001", 200), ("http://evil.example", 403), ("null", 403), ("http://127.0.0.1:9", 403),
        ("https://127.0.0.1:8001", 403),
    ],
)  # fmt: skip
def test_pages_of_other_sites_are_refused(access, origin, status):
    assert get(access, origin=origin, cookie=welcomed(access).partition(";")[0])[0] == status


def test_every_answer_forbids_what_the_page_does_not_need(access):
    cookie = welcomed(access).partition(";")[0]
    for status, headers in (get(access, cookie=cookie), get(access), get(access, host="evil.example")):
        assert headers.items() >= HEADERS.items(), status
    policy = HEADERS["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "http" not in policy
