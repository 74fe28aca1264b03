"""The server over HTTP: a real process, killed, restarted, asked by two at once."""

import json
import logging
import random
import threading
from pathlib import Path

import pytest

httpx = pytest.importorskip("httpx", reason='httpx is not installed: pip install -e ".[test]"')

from deidlab.review.decisions import journal_of, read  # noqa: E402

SMITH = {"start": 3, "end": 8, "label": "PATIENT"}
BELL = {"start": 50, "end": 54, "label": "PATIENT"}


class Browser:
    """What a page does: comes by the link, knows the epoch and the revision of the note it shows."""

    def __init__(self, link: str, reviewer: str = "Ada") -> None:
        address, _, fragment = link.partition("#")
        base = address.partition("?")[0]
        self.client = httpx.Client(base_url=base, follow_redirects=True, timeout=60, headers={"origin": base[:-1]})
        self.reviewer = reviewer
        assert self.client.get(address).status_code == 200, fragment
        self.epoch = self.get("queue")["epoch"]

    def get(self, path: str, **query) -> dict:
        answer = self.client.get(path, params={"reviewer": self.reviewer, **query})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, action: str, number: int = 0, *, span=None, to=None, **changed):
        note = self.get("note", number=number)
        sent = {
            "epoch": self.epoch, "reviewer": self.reviewer, "number": number, "fingerprint": note["fingerprint"],
            "base": note["revision"], "action": action, "span": span, "to": to,
        }  # fmt: skip
        return self.client.post("decide", json={**sent, **changed})


def test_the_page_and_all_it_needs_come_from_the_server(served):
    with served() as review:
        browser = Browser(review.link)
        page = browser.client.get("/")
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        for name, kind in (("page.css", "css"), ("page.js", "javascript"), ("keys.js", "javascript")):
            answer = browser.client.get(name)
            assert answer.status_code == 200 and kind in answer.headers["content-type"]
        assert {browser.client.get(path).status_code for path in ("docs", "openapi.json", "note.py")} == {404}
        queue = browser.get("queue")
        assert (queue["ids"], queue["questions"], queue["done"]) == (["n-1", "n-2", "n-3"], [2, 0, 0], [])
        assert queue["labels"] == {"DATE": "DATE", "DOCTOR": "NAME", "PATIENT": "NAME"}
        assert not httpx.get(review.address, follow_redirects=True).is_success  # without the cookie


def test_decisions_answer_with_the_note_as_it_is_then(served, queue_file):
    with served() as review:
        browser = Browser(review.link)
        shown = browser.post("reject", span=BELL).json()
        assert [(s["start"], s["verdict"], s["gold"]) for s in shown["spans"]] == [
            (3, None, True), (26, None, True), (43, None, False), (50, False, False),
        ]  # fmt: skip
        assert (shown["revision"], shown["undoable"]) == (1, 1)
        undone = browser.client.post("undo", json={"epoch": browser.epoch, "reviewer": "Ada", "expected": 1}).json()
        assert (undone["revision"], undone["undoable"], undone["spans"][3]["verdict"]) == (2, None, None)
        assert browser.post("finish").json()["done"]
        assert browser.get("progress")["done"] == [0]
    assert len(read(journal_of(queue_file))) == 3


def test_another_reviewers_decisions_show_when_ones_own_are_finished(served):
    with served() as review:
        ada = Browser(review.link)
        ben = Browser(review.next_link(), "Ben")
        assert ada.post("reject", span=BELL).status_code == 200
        ada.post("finish")
        assert "differ" not in ben.get("note", number=0)["spans"][0]
        shown = ben.post("finish").json()
        assert [span["differ"] for span in shown["spans"]] == [[], [], [], ["Ada"]]
        (pair,) = ada.client.get("agreement").json()
        assert (pair["first"], pair["second"], pair["notes"], pair["different"]) == ("Ada", "Ben", 1, [0])


def test_two_browsers_that_edit_one_span_the_second_is_told_and_nothing_is_lost(served):
    with served() as review:
        first, second = Browser(review.link), Browser(review.next_link())
        wide = {**SMITH, "start": 0}
        assert first.post("change", span=SMITH, to=wide).status_code == 200
        late = second.post("change", span=SMITH, to={**SMITH, "label": "DOCTOR"}, base=0)
        assert late.status_code == 409 and "changed this since" in late.json()["detail"]
        assert second.post("reject", span=BELL, base=0).status_code == 200
        spans = {(s["start"], s["verdict"]) for s in first.get("note", number=0)["spans"]}
        assert {(0, True), (3, False), (50, False)} <= spans


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"action": "burn"}, 422),
        ({"number": -1}, 422),
        ({"number": 2**80}, 422),
        ({"number": 99}, 409),
        ({"fingerprint": "0" * 16}, 409),
        ({"base": "0"}, 422),
        ({"base": 7}, 409),
        ({"epoch": "an earlier start"}, 409),
        ({"reviewer": ""}, 422),
        ({"reviewer": "../Ada"}, 422),
        ({"reviewer": "A" * 99}, 422),
        ({"span": {"start": 3, "end": 8, "label": "Smith"}}, 422),
        ({"span": {"start": 3.5, "end": 8, "label": "PATIENT"}}, 422),
        ({"span": "Smith"}, 422),
        ({"span": None}, 422),
        ({"to": SMITH}, 422),
        ({"Smith": "Smith"}, 422),
        ({"action": "change", "to": {**SMITH, "label": "Smith"}}, 422),
        ({"action": "change", "to": {**SMITH, "end": 9999}}, 422),
    ],
)
def test_malformed_and_stale_decisions_are_refused_without_being_repeated(in_process, sent, status):
    client, note, queue_file = in_process
    body = {
        "epoch": note["epoch"], "reviewer": "Ada", "number": 0, "fingerprint": note["fingerprint"], "base": 0,
        "action": "accept", "span": SMITH,
    }  # fmt: skip
    answer = client.post("/decide", json={**body, **sent})
    assert answer.status_code == status, answer.text
    assert "Smith" not in answer.text
    assert answer.json().get("reload", False) == ("epoch" in sent)
    assert read(journal_of(queue_file)) == []


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{Smith", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"{}", "text/plain", 415),
        (b'{"a": "' + b"Smith" * 20_000 + b'"}', "application/json", 413),
    ],
)
def test_bodies_that_are_no_decision_are_refused(in_process, caplog, content, kind, status):
    client, *_ = in_process
    with caplog.at_level(logging.INFO):
        answer = client.post("/decide", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert "Smith" not in answer.text and "Smith" not in caplog.text


def test_a_note_that_cannot_be_read_says_so_and_the_others_are_shown(in_process):
    client, _, queue_file = in_process
    content = queue_file.read_bytes()
    with queue_file.open("r+b") as file:  # in place: the queue is open
        file.write(content.replace(b"Mr Smith", b"Mr Smyth"))
    answer = client.get("/note", params={"number": 0, "reviewer": "Ada"})
    assert answer.status_code == 500 and "fingerprint" in answer.json()["detail"]
    assert "Sm" not in answer.text
    assert client.get("/note", params={"number": 1, "reviewer": "Ada"}).status_code == 200
    assert client.get("/note", params={"number": 3, "reviewer": "Ada"}).status_code == 404


@pytest.fixture
def in_process(desk, queue_file):
    """A client that is let in, the note of number 0 with the epoch, and the queue."""
    from fastapi.testclient import TestClient

    from deidlab.review.server import create

    app = create(desk)
    client = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    assert client.get("/", params={"token": app.token}).status_code == 200
    epoch = client.get("/queue", params={"reviewer": "Ada"}).json()["epoch"]
    note = client.get("/note", params={"number": 0, "reviewer": "Ada"}).json()
    return client, {**note, "epoch": epoch}, queue_file


def test_kill_9_loses_at_most_the_decision_that_was_not_acknowledged(served, queue_file):
    """A client decides as fast as it is answered, and the server is killed at some moment of it."""
    acknowledged: list[int] = []
    with served() as review:
        browser = Browser(review.link)
        note = browser.get("note", number=0)
        sent = {"epoch": browser.epoch, "reviewer": "Ada", "number": 0, "fingerprint": note["fingerprint"]}

        def decide() -> None:
            try:
                for base in range(10_000):
                    action = ("reject", "accept")[base % 2]
                    body = {**sent, "base": base, "action": action, "span": SMITH}
                    acknowledged.append(browser.client.post("decide", json=body).raise_for_status().json()["revision"])
            except httpx.TransportError:
                pass

        client = threading.Thread(target=decide)
        client.start()
        client.join(random.Random(0).uniform(0.5, 2))
        while len(acknowledged) < 5:
            client.join(0.2)
        review.kill()
        client.join()
    kept = read(journal_of(queue_file))
    assert len(acknowledged) <= len(kept) <= len(acknowledged) + 1
    assert [decision.verdicts[0][1] for decision in kept] == [bool(i % 2) for i in range(len(kept))]

    # After the restart the page of before is told to reload, and the decisions are there.
    with served(queue_file, "--port", str(browser.client.base_url.port)) as review:
        stale = browser.client.post("decide", json={**sent, "base": 0, "action": "finish"})
        assert stale.status_code == 401 and "restart" in stale.json()["detail"]
        after = Browser(review.link)
        assert after.get("note", number=0)["revision"] == len(kept)
        answer = after.client.post("decide", json={**sent, "base": len(kept), "action": "finish"})
        assert answer.status_code == 409 and answer.json()["reload"]


def test_two_clients_at_once_lose_nothing(served, queue_file):
    with served() as review:
        browsers = [Browser(review.link), Browser(review.next_link(), "Ben")]

        def decide(browser: Browser) -> None:
            for turn in range(15):
                assert browser.post(("reject", "accept")[turn % 2], span=BELL).status_code == 200

        threads = [threading.Thread(target=decide, args=(browser,)) for browser in browsers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [browser.get("note", number=0)["revision"] for browser in browsers] == [15, 15]
    assert sorted(decision.reviewer for decision in read(journal_of(queue_file))) == ["Ada"] * 15 + ["Ben"] * 15


def test_the_journal_has_no_text(served, queue_file):
    with served() as review:
        browser = Browser(review.link)
        browser.post("change", span=SMITH, to={**SMITH, "start": 0})
        browser.post("finish")
    journal = journal_of(queue_file).read_text("utf-8")
    assert len(journal.splitlines()) == 2
    assert "Smith" not in journal
    assert {key for line in journal.splitlines() for key in json.loads(line)} == {
        "note", "fingerprint", "reviewer", "at", "verdicts", "done", "undoes",
    }  # fmt: skip
    assert Path(journal_of(queue_file)).stat().st_mode & 0o077 == 0
