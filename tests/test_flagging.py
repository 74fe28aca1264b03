"""The review queue: what is asked about a note, what it is worth, and that all of it survives the bulk job's way."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.flagging import Flagging, characters, outside, ranked
from deidlab.review.queue import Queue, to_line, write
from deidlab.types import ConfigError, Document, Prediction, Span

NOTE = Document("n1", "Mr Smith saw Dr Oak on Monday in Boston.", meta={"patient": "p1"})
FOUND = (Span(3, 8, "PATIENT", 0.99), Span(16, 19, "DOCTOR", 0.4))
DOUBTS = (Span(23, 29, "DATE", 0.3), Span(33, 39, "CITY", 0.02))


def test_misses_and_false_alarms_are_asked_about_most_valuable_first():
    questions = Flagging(false_alarm=0.1, sure=0.8).questions(NOTE, Prediction("n1", FOUND, doubts=DOUBTS))
    assert [(q.span.start, q.kind) for q in questions] == [
        (23, "likely_miss"), (16, "likely_false_alarm"), (33, "likely_miss")
    ]  # fmt: skip
    assert [q.value for q in questions] == pytest.approx([0.3 * 6, 0.6 * 3 * 0.1, 0.02 * 6])


def test_a_queued_note_has_its_spans_and_the_worth_of_its_questions(tmp_path):
    queued = Flagging().queued(NOTE, Prediction("n1", FOUND, doubts=DOUBTS))
    assert queued.document.spans == FOUND and queued.document.meta == {"patient": "p1"}
    assert queued.value == pytest.approx(sum(q.value for q in queued.questions))
    write([queued], tmp_path / "queue.jsonl")
    assert Queue(tmp_path / "queue.jsonl")[0] == queued


def test_what_rules_found_or_a_span_covers_since_is_not_asked_about():
    prediction = Prediction("n1", (Span(3, 8, "PATIENT"), Span(23, 29, "DATE")), doubts=(Span(20, 29, "DATE", 0.5),))
    (question,) = Flagging().questions(NOTE, prediction)
    assert (question.span.start, question.span.end, question.kind) == (20, 23, "likely_miss")


offsets = st.tuples(st.integers(0, 30), st.integers(1, 8)).map(lambda p: Span(p[0], p[0] + p[1], "A", 0.5))


@settings(deadline=None)
@given(doubts=st.lists(offsets, max_size=5), spans=st.lists(offsets, max_size=5))
def test_what_is_outside_of_spans_is_every_doubtful_character_that_none_covers(doubts, spans):
    kept = [set(range(s.start, s.end)) for s in outside(doubts, spans)]
    covered = {i for s in spans for i in range(s.start, s.end)}
    assert set().union(*kept) == {i for s in doubts for i in range(s.start, s.end)} - covered
    assert all(kept)


def test_blanks_are_worth_nothing():
    assert characters(NOTE, Span(0, 8, "A")) == 7
    assert Flagging().questions(Document("b", "a \n b"), Prediction("b", (), doubts=(Span(1, 4, "A", 0.5),))) == ()


def test_punctuation_alone_is_not_asked_about():
    doubts = (Span(39, 40, "CITY", 0.5), Span(33, 40, "CITY", 0.3))
    asked = [Flagging().questions(NOTE, Prediction("n1", (), doubts=(doubt,))) for doubt in doubts]
    assert asked[0] == () and [q.span for q in asked[1]] == [doubts[1]], "the full stop, and Boston with it"


def test_queues_of_shards_become_one_in_order_of_value(tmp_path):
    lines = []
    for number, chances in enumerate(([0.1, 0.9], [], [0.5, 0.2, 0.7])):
        for i, chance in enumerate(chances):
            note = Document(f"n{number}-{i}", NOTE.text)
            lines.append(
                (number, to_line(Flagging().queued(note, Prediction("x", (), doubts=(Span(0, 8, "A", chance),)))))
            )
    parts = [tmp_path / f"{number}.jsonl" for number in range(4)]  # the last one is not there
    for number in range(3):
        parts[number].write_text("".join(line for n, line in lines if n == number))
    with (tmp_path / "all.jsonl").open("wb") as stream:
        ranked(parts, stream)
    written = (tmp_path / "all.jsonl").read_text().splitlines(keepends=True)
    values = [json.loads(line)["value"] for line in written]
    assert sorted(written) == sorted(line for _, line in lines)
    assert all(a >= b for a, b in pairwise(values))


@pytest.mark.parametrize("wrong", [{"false_alarm": -1.0}, {"sure": 1.2}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigError, match="flagging"):
        Flagging(**wrong)
