"""A chat endpoint as a system, against a server that speaks the protocol: its answers, its errors, its inventions."""

import itertools
import json
import time
from pathlib import Path

import pytest
import yaml

from deidlab.corpora import jsonl
from deidlab.labels import LabelSet
from deidlab.systems import llm
from deidlab.types import ConfigError, DataError, Document, Span

LABELS = LabelSet("two", ("NAME", "DATE"), "BIO")
PROMPT = "Find {labels}. Answer with JSON."
NOTES = [
    Document("n1", "Zyxomma Lee came on 3/4."),
    Document("n2", "naïve 😀 Ann, seen by Ann."),
    Document("n3", "no one"),
]


def reply(body=None, **more) -> dict:
    return {"body": body, **more}


def completion(found, finish="stop", usage=(100, 20)) -> dict:
    """What a chat endpoint answers: a text, or entities given as (text, label)."""
    content = found if isinstance(found, str) else json.dumps(
        {"entities": [{"text": text, "label": label} for text, label in found]}
    )  # fmt: skip
    body = {"choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": finish}]}
    if usage:
        body["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return reply(body)


def known(asked) -> dict:
    """A model that finds the names it has heard of."""
    text = asked.body["messages"][-1]["content"]
    names = [(name, "NAME") for name in ("Zyxomma Lee", "Ann") if name in text]
    return completion([*names, *((d, "DATE") for d in ("3/4",) if d in text)])


def system(service, **settings):
    settings = {"model": "m", "prompt": PROMPT, "labels": LABELS, "send_phi": True, "pause": 0.01, **settings}
    return llm.load(service.url + "/v1", **settings)


def spans(found):
    return [(p.document_id, p.spans) for p in found]


def test_notes_are_answered_in_order_with_exact_offsets(service):
    service.answer = known
    found = list(system(service).predict(NOTES))
    assert spans(found) == [
        ("n1", (Span(0, 11, "NAME"), Span(20, 23, "DATE"))),
        ("n2", (Span(8, 11, "NAME"), Span(21, 24, "NAME"))),
        ("n3", ()),
    ]
    assert [p.fingerprint for p in found] == [note.fingerprint for note in NOTES]
    assert not any(p.failed for p in found)


def test_a_request_is_a_chat_completion_with_the_note_as_it_is(service, monkeypatch):
    monkeypatch.setenv("OUR_KEY", "s3cret")
    service.answer = known
    ready = system(service, api_key_variable="OUR_KEY", request={"temperature": 0})
    list(ready.predict(NOTES[1:2]))
    (asked,) = service.asked
    assert asked.path == "/v1/chat/completions" and asked.headers["authorization"] == "Bearer s3cret"
    assert asked.body["model"] == "m" and asked.body["temperature"] == 0
    assert asked.body["messages"] == [
        {"role": "system", "content": "Find NAME, DATE. Answer with JSON."},
        {"role": "user", "content": NOTES[1].text},
    ]
    assert "s3cret" not in repr(ready)


@pytest.mark.parametrize("consent", [False, None, "true", 1])
def test_nothing_is_sent_unless_the_config_says_so(service, consent):
    with pytest.raises(ConfigError, match=r"system=llm sends the full text of every note to http://127.*send_phi=true"):
        system(service, send_phi=consent)
    assert service.asked == []


def test_settings_that_cannot_work_are_named(service, monkeypatch):
    monkeypatch.delenv("NO_KEY", raising=False)
    for settings, message in (
        ({"model": None}, "system.model=NAME"),
        ({"prompt": "find them"}, r"write \{labels\}"),
        ({"api_key_variable": "NO_KEY"}, "environment variable NO_KEY, which is not set"),
        ({"chunk_characters": 0}, "at least 1"),
    ):
        with pytest.raises(ConfigError, match=message):
            system(service, **settings)
    with pytest.raises(ConfigError, match="base_url is 'ftp://x'"):
        llm.load("ftp://x", "m", PROMPT, LABELS, send_phi=True)


def test_a_long_note_is_sent_in_parts_and_its_offsets_are_those_of_the_whole(service):
    service.answer = known
    text = "\n\n".join(f"Paragraph {i}: 😀 Ann came." for i in range(20))
    (found,) = system(service, chunk_characters=60).predict([Document("long", text)])
    assert len(service.asked) > 5
    assert sorted(a.body["messages"][-1]["content"] for a in service.asked) != [text]
    assert len(found.spans) == 20 and {text[s.start : s.end] for s in found.spans} == {"Ann"}


def test_examples_are_a_conversation_before_the_note(service, tmp_path):
    service.answer = known
    example = Document("e", "Bob and Bob, 1/2", (Span(0, 3, "NAME"), Span(8, 11, "NAME"), Span(13, 16, "DATE")))
    jsonl.write([example], tmp_path / "e.jsonl")
    list(system(service, shots=1, shots_from=str(tmp_path / "e.jsonl")).predict(NOTES[:1]))
    _, asked, answered, note = service.asked[0].body["messages"]
    assert (asked["role"], asked["content"]) == ("user", example.text)
    expected = [{"text": "Bob", "label": "NAME"}, {"text": "1/2", "label": "DATE"}]
    assert answered["role"] == "assistant" and json.loads(answered["content"]) == {"entities": expected}
    assert note["content"] == NOTES[0].text
    with pytest.raises(ConfigError, match="gave 1 with spans"):
        system(service, shots=2, shots_from=str(tmp_path / "e.jsonl"))


def test_synthetic_examples_carry_the_labels_that_are_asked_for(service):
    written = yaml.safe_load((Path(__file__).parents[2] / "conf" / "labels" / "jsl7.yaml").read_text("utf-8"))
    labels = LabelSet(**{key: value for key, value in written.items() if key != "_target_"})
    service.answer = known
    list(system(service, labels=labels, shots=2).predict(NOTES[:1]))
    messages = service.asked[0].body["messages"]
    assert [m["role"] for m in messages] == ["system", *["user", "assistant"] * 2, "user"]
    for asked, answered in (messages[1:3], messages[3:5]):
        told = json.loads(answered["content"])["entities"]
        assert told and all(e["text"] in asked["content"] and e["label"] in labels.types for e in told)


def test_busy_and_failing_servers_are_asked_again(service):
    service.replies(reply(status=429, headers={"retry-after": "0.15"}), reply(status=500), completion([]))
    ready = system(service)
    assert spans(ready.predict(NOTES[2:])) == [("n3", ())]
    first, second, third = (asked.at for asked in service.asked)
    assert second - first >= 0.15, "the server said how long to wait"
    assert third - second < 0.15


def test_a_server_that_never_answers_makes_the_note_an_error_and_not_an_empty_answer(service):
    service.replies(reply(completion([])["body"], after=0.6))
    with pytest.raises(DataError, match=r"n3: llm m: .*2 attempts, the last time: no answer within 0\.1 s"):
        list(system(service, timeout=0.1, attempts=2).predict(NOTES[2:]))


def test_a_server_that_is_not_there_is_named_by_what_happened():
    with pytest.raises(DataError, match=r"n3: llm m: .*the connection failed \(ConnectError\)"):
        ready = llm.load("http://127.0.0.1:9/v1", "m", PROMPT, LABELS, send_phi=True, attempts=1)
        list(ready.predict(NOTES[2:]))


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_wrong_key_or_model_stops_at_once(service, status):
    service.replies(reply({"error": "Zyxomma"}, status=status))
    with pytest.raises(ConfigError, match=rf"answered with status {status}: check the key") as error:
        list(system(service, concurrency=1).predict(NOTES))
    assert "Zyxomma" not in str(error.value)


def test_a_redirect_is_not_followed(service):
    service.replies(reply(status=307, headers={"location": service.url + "/elsewhere"}))
    with pytest.raises(DataError, match="status 307"):
        list(system(service).predict(NOTES[:1]))
    assert len(service.asked) == 1


GARBAGE = [
    reply(b"Zyxomma <html>"),
    reply([]),
    reply({"choices": []}),
    completion("Zyxomma is a name"),
    completion('{"entities": "Zyxomma"}'),
    reply({"choices": [{"message": {"content": None, "refusal": "Zyxomma"}, "finish_reason": "stop"}]}),
    reply(status=400, body={"error": {"message": "Zyxomma"}}),
]


@pytest.mark.parametrize("reply", GARBAGE)
def test_garbage_is_an_error_of_its_note_without_a_word_of_it(service, reply):
    service.replies(reply)
    with pytest.raises(DataError, match="n1: llm m: ") as error:
        list(system(service).predict(NOTES[:1]))
    assert "Zyxomma" not in str(error.value) and error.value.__cause__ is None


def test_one_bad_note_does_not_take_the_others_down_where_faults_are_counted(service):
    service.answer = lambda asked: (
        completion("garbage") if "Zyxomma" in asked.body["messages"][-1]["content"] else known(asked)
    )
    ready = system(service, on_error="count")
    first, second, third = ready.predict(NOTES)
    assert first.failed and first.spans == () and "Zyxomma" not in first.failed
    assert second.failed is None and len(second.spans) == 2 and third.failed is None
    assert ready.losses.rows() == [
        {"reason": "no_answer", "label": "-", "count": 1},
        {"reason": "several_places", "label": "NAME", "count": 1},
    ]


def test_an_answer_that_is_no_list_is_asked_for_once_more(service):
    service.replies(completion("let me think"), completion([("Ann", "NAME")]))
    (found,) = system(service).predict(NOTES[1:2])
    assert len(found.spans) == 2 and len(service.asked) == 2


def test_an_answer_that_was_cut_off_is_asked_for_in_halves(service):
    text = "\n\n".join(f"Paragraph {i}: Ann came." for i in range(40))

    def short_of_breath(asked):
        sent = asked.body["messages"][-1]["content"]
        return completion('{"entities": [{"te', finish="length") if len(sent) > 400 else known(asked)

    service.answer = short_of_breath
    ready = system(service)
    (found,) = ready.predict([Document("long", text)])
    assert len(found.spans) == 40 and {text[s.start : s.end] for s in found.spans} == {"Ann"}
    assert ready.losses.counts["cut_off", "-"] == 3  # the whole, and both halves
    service.replies(completion("", finish="length"))
    with pytest.raises(DataError, match=r"long: .*cut off \(finish_reason length\): raise max_tokens"):
        list(system(service).predict([Document("long", text)]))


def test_invented_and_repeated_spans_are_counted_and_not_predicted(service):
    said = [("Zyxomma Lee", "NAME"), ("Zyxomma Lee", "NAME"), ("Bob Nobody", "NAME"), ("3/4", "VISIT"), ("3/4", "DATE")]
    service.replies(completion(said))
    ready = system(service)
    assert spans(ready.predict(NOTES[:1])) == [("n1", (Span(0, 11, "NAME"), Span(20, 23, "DATE")))]
    assert {(row["reason"], row["label"]): row["count"] for row in ready.losses.rows()} == {
        ("invented", "NAME"): 1,
        ("repeated", "NAME"): 1,
        ("unknown_label", "-"): 1,
    }


def test_tokens_are_counted_and_answers_without_a_count_too(service):
    service.replies(completion([], usage=(70, 8)), completion([], usage=None))
    ready = system(service, concurrency=1)
    list(ready.predict(NOTES[:2]))
    told = ready.usage.to_dict()
    assert (told["requests"], told["input_tokens"], told["output_tokens"], told["unmetered"]) == (2, 70, 8, 1)


def test_requests_are_spaced_and_run_side_by_side(service):
    service.answer = lambda asked: reply(completion([])["body"], after=0.2)
    notes = [Document(f"n{i}", "text") for i in range(4)]
    began = time.monotonic()
    assert [p.document_id for p in system(service, concurrency=4).predict(notes)] == ["n0", "n1", "n2", "n3"]
    assert time.monotonic() - began < 0.7
    service.asked.clear()
    service.answer = known
    list(system(service, per_minute=600).predict(notes))
    times = sorted(asked.at for asked in service.asked)
    assert all(b - a > 0.08 for a, b in itertools.pairwise(times))


def test_a_reader_who_stops_early_leaves_the_rest_unsent(service):
    service.answer = lambda asked: reply(completion([])["body"], after=0.02)
    stream = system(service, concurrency=1).predict(Document(f"n{i}", "text") for i in range(100))
    assert next(stream).document_id == "n0"
    stream.close()
    assert len(service.asked) <= 3
