"""Over a real socket: answers belong to their requests, refusals repeat nothing, and the log knows of no note."""

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from deidlab.types import DataError

MARKER = "Zqxvbnmkl"


def logged(caplog) -> str:
    """What was logged here but by the client of the test, which logs what it sends."""
    formatter = logging.Formatter()
    return "\n".join(formatter.format(r) for r in caplog.records if not r.name.startswith(("httpx", "httpcore")))


def test_a_note_goes_in_and_comes_out_without_its_identifiers(served, deidentifier):
    text = "Mr Smith 🙂, MRN 123456, again Mr Ng."
    with served() as client:
        answer = client.post("/deidentify", json={"notes": [{"id": "a", "text": text}, {"text": ""}]})
        (first, empty) = answer.json()["notes"]
        (found,) = client.post("/analyze", json={"notes": [{"text": text}]}).json()["notes"]
    expected = deidentifier.deidentify(text)
    assert answer.status_code == 200
    assert (first["id"], first["text"], first["failed"]) == ("a", expected.text, None)
    assert [first["text"][s["start"] : s["end"]] for s in first["spans"]] == ["[NAME]", "[MRN]", "[NAME]"]
    assert first["offsets"] == expected.offsets.to_list()
    assert empty["text"] == "" and empty["spans"] == []
    assert [(text[s["start"] : s["end"]], s["label"], s["score"]) for s in found["spans"]] == [
        ("Smith", "PATIENT", 0.5),
        ("123456", "MEDICALRECORD", 0.5),
        ("Ng", "PATIENT", 0.5),
    ]


def test_requests_at_the_same_time_share_batches_and_keep_their_own_answers(served, deidentifier):
    def ask(number: int) -> bool:
        notes = [
            {"id": f"{number}-{i}", "text": f"Mr Smith {'x' * (number % 7)} is number {number}-{i}"} for i in (0, 1)
        ]
        answer = client.post("/deidentify", json={"notes": notes}).json()["notes"]
        return [(n["id"], n["text"]) for n in answer] == [
            (n["id"], n["text"].replace("Smith", "[NAME]")) for n in notes
        ]

    with served(wait=0.05) as client, ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(96)))
    batches = deidentifier.system.batches
    assert sum(batches) == 192 and max(batches) > 2


def test_a_note_that_fails_takes_no_other_with_it_and_has_no_text(served, caplog):
    caplog.set_level(logging.DEBUG)
    body = json.dumps({"notes": [{"text": "Mr Smith"}, {"text": f"boom Mr {MARKER}", "id": "bad"}]})
    with served() as client:
        good, bad = client.post("/deidentify", content=body, headers=JSON).json()["notes"]
        assert client.post("/analyze", content=body, headers=JSON).json()["notes"][1]["spans"] is None
        told = client.get("/metrics").text
        (half,) = client.post("/deidentify", content=NOTE.replace(b"Mr", b"\\ud800"), headers=JSON).json()["notes"]
    assert half["text"] is None and half["failed"] == "half of a UTF-16 pair at character 0; mend the text"
    assert good["text"] == "Mr [NAME]"
    assert (bad["id"], bad["text"], bad["spans"]) == ("bad", None, []) and bad["failed"].startswith("ValueError")
    assert 'deidlab_notes_total{outcome="failed",path="/deidentify"} 1.0' in told
    assert MARKER not in json.dumps(bad) + told + logged(caplog)


JSON = {"Content-Type": "application/json"}
NOTE = json.dumps({"notes": [{"text": f"Mr {MARKER}"}]}).encode()
REFUSED = {
    "another content type": ({"Content-Type": "text/plain"}, NOTE, 415),
    "no content type": ({}, NOTE, 415),
    "another encoding": ({"Content-Type": "application/json; charset=latin-1"}, NOTE, 415),
    "a compressed body": ({**JSON, "Content-Encoding": "gzip"}, NOTE, 415),
    "too large a body": (JSON, NOTE + b" " * 5000, 413),
    "no JSON": (JSON, NOTE[:-3], 422),
    "a binary body": (JSON, b"\x89PNG\x00\xff" + NOTE, (400, 422)),
    "an unknown key": (JSON, json.dumps({"notes": [{"text": "a", f"Mr {MARKER}": 1}]}).encode(), 422),
    "another key": (JSON, json.dumps({f"Mr {MARKER}": []}).encode(), 422),
    "a text that is none": (JSON, json.dumps({"notes": [{"text": [f"Mr {MARKER}"]}]}).encode(), 422),
    "a patient that is none": (JSON, json.dumps({"notes": [{"text": "a", "patient": {MARKER: 1}}]}).encode(), 422),
    "no notes": (JSON, b'{"notes": []}', 422),
    "too many notes": (JSON, json.dumps({"notes": [{"text": ""}] * 257}).encode(), 422),
    "a list": (JSON, json.dumps([f"Mr {MARKER}"]).encode(), 422),
    "half of a pair": (JSON, NOTE.replace(b'{"text"', b'{"id": "\\ud800", "text"'), 422),
    "deep nesting": (JSON, b"[" * 4000, (400, 422)),
}


def test_refusals_say_what_and_where_and_repeat_nothing(served, caplog):
    caplog.set_level(logging.DEBUG)
    with served(most_bytes=4096) as client:
        for case, (headers, body, status) in REFUSED.items():
            answer = client.post("/deidentify", content=body, headers=headers)
            assert answer.status_code in (status if isinstance(status, tuple) else (status,)), (
                case,
                answer.status_code,
            )
            assert answer.json()["detail"] and MARKER not in answer.text, case
        chunks = (NOTE[:20] for _ in range(1000))
        assert client.post("/deidentify", content=chunks, headers=JSON).status_code == 413
        assert client.get(f"/{MARKER}?text={MARKER}").status_code == 404
        assert client.get("/deidentify", params={"text": MARKER}).status_code == 405
        assert client.get("/docs").status_code == 404, "its page would load scripts from elsewhere"
        assert client.post("/deidentify", content=NOTE, headers=JSON).status_code == 200
    assert "/deidentify 413" in logged(caplog) and "other 404" in logged(caplog)
    assert MARKER not in logged(caplog)
    assert "127.0.0.1" not in "".join(r.getMessage() for r in caplog.records if r.name == "deidlab.service")


def test_a_large_body_is_refused_before_it_is_read(served):
    with served() as client:
        assert client.post("/analyze", content=b"x" * 10_000_000, headers=JSON).status_code == 413
        assert client.get("/health").json()["status"] == "ok"


def test_a_token_is_demanded_of_all_but_health(served):
    token = b"0123456789abcdef"
    with served(token=token) as client:
        assert client.get("/health").status_code == 200
        for given in ({}, {"Authorization": "Bearer 0123456789abcdeX"}, {"Authorization": f"Basic {token.decode()}"}):
            for path in ("/metrics", "/openapi.json", "/nowhere"):
                assert client.get(path, headers=given).status_code == 401
            answer = client.post("/deidentify", content=NOTE, headers={**JSON, **given})
            assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        right = {"Authorization": f"Bearer {token.decode()}"}
        assert client.post("/deidentify", content=NOTE, headers={**JSON, **right}).status_code == 200
        schema = client.get("/openapi.json", headers=right).json()
    assert schema["paths"]["/deidentify"]["post"]["security"]


def test_the_examples_of_the_description_are_answered(served):
    with served() as client:
        described = client.get("/openapi.json").json()
        notes = described["components"]["schemas"]["Notes"]["properties"]["notes"]["examples"][0]
        for path in ("/deidentify", "/analyze"):
            assert {"200", "401", "413", "415", "422", "503"} <= described["paths"][path]["post"]["responses"].keys()
            answer = client.post(path, json={"notes": notes})
            assert answer.status_code == 200 and len(answer.json()["notes"]) == len(notes)


def test_a_fault_of_ours_is_answered_and_logged_by_its_kind_alone(served, deidentifier, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)

    def broken(self, documents):
        raise KeyError(documents[0].text)

    monkeypatch.setattr(type(deidentifier), "found", broken)
    with served() as client:
        answer = client.post("/deidentify", content=NOTE, headers=JSON)
        assert client.get("/health").status_code == 200
    assert answer.status_code == 500 and MARKER not in answer.text + logged(caplog)
    assert "/deidentify failed: KeyError in " in logged(caplog)


def test_more_than_is_held_is_asked_to_come_later(deidentifier):
    from deidlab.service.batching import Asked, Batcher, Busy
    from deidlab.types import Document

    go_on = threading.Event()
    asked = [Asked(Document("n", "x" * 60), True)]
    batcher = Batcher(lambda asked: go_on.wait(60) and [None for _ in asked], room=100)
    first = batcher.submit(asked)
    with pytest.raises(Busy, match="ask again later"):
        batcher.submit(asked)
    go_on.set()
    assert first.result(60) == [None]
    batcher.close()
    assert not batcher.alive and batcher.characters == 0


def test_a_fault_in_one_request_is_no_others():
    from deidlab.service.batching import Asked, Batcher
    from deidlab.types import Document

    def work(asked):
        if any("bad" in one.document.text for one in asked):
            raise DataError("bad")
        return [one.document.id for one in asked]

    batcher = Batcher(work, wait=0.1)
    waiting = [batcher.submit([Asked(Document(text, text), True)]) for text in ("good", "bad", "fine")]
    assert waiting[0].result(60) == ["good"] and waiting[2].result(60) == ["fine"]
    with pytest.raises(DataError):
        waiting[1].result(60)
    batcher.close()
