"""Quotes become exact spans, and everything a model makes up is counted without being kept."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deidlab.systems.quotes import align, entities
from deidlab.types import DataError, Span

LABELS = ("NAME", "DATE", "AGE")
NOTE = "Ann Lee, 54M, saw Ann on 3/4 and 13/4. Annual visit."


def found(*items):
    spans, lost = align(NOTE, [{"text": t, "label": lab} for t, lab in items], LABELS)
    return [(NOTE[s.start : s.end], s.start, s.label) for s in spans], dict(lost.counts)


def test_every_occurrence_of_a_quote_is_taken_as_whole_words():
    assert found(("Ann", "NAME")) == ([("Ann", 0, "NAME"), ("Ann", 18, "NAME")], {("several_places", "NAME"): 1})
    assert found(("3/4", "DATE")) == ([("3/4", 25, "DATE")], {})  # not the end of 13/4


def test_a_quote_that_is_no_word_is_taken_where_it_stands():
    assert found(("54", "AGE")) == ([("54", 9, "AGE")], {("inside_word", "AGE"): 1})


def test_the_longer_of_overlapping_quotes_stays():
    spans, lost = found(("Ann", "NAME"), ("Ann Lee", "NAME"))
    assert spans == [("Ann Lee", 0, "NAME"), ("Ann", 18, "NAME")]
    assert lost == {("several_places", "NAME"): 1, ("overlapping", "NAME"): 1}


def test_invented_unlabelled_repeated_and_malformed_ones_are_counted():
    items = [
        {"text": "Zyxomma", "label": "NAME"},
        {"text": "Ann Lee", "label": "PERSON"},
        {"text": "Ann Lee"},
        {"text": "", "label": "NAME"},
        {"label": "NAME"},
        "Ann Lee",
        {"text": "3/4", "label": "DATE"},
        {"text": "3/4", "label": "DATE"},
    ]
    spans, lost = align(NOTE, items, LABELS)
    assert spans == [Span(25, 28, "DATE")]
    assert dict(lost.counts) == {
        ("invented", "NAME"): 1,
        ("unknown_label", "-"): 1,
        ("unlabelled", "-"): 1,
        ("malformed", "-"): 3,
        ("repeated", "DATE"): 1,
    }


def test_a_stretch_with_two_labels_keeps_the_first():
    spans, lost = found(("Lee", "NAME"), ("Lee", "DATE"))
    assert spans == [("Lee", 4, "NAME")] and lost == {("ambiguous", "DATE"): 1}


@given(
    st.text(alphabet="Ab 3\n😀", max_size=60), st.lists(st.text(alphabet="Ab 3😀", min_size=1, max_size=4), max_size=5)
)
def test_spans_are_quotes_at_their_offsets_apart_from_one_another(text, quotes):
    spans, _ = align(text, [{"text": q, "label": "NAME"} for q in quotes], LABELS)
    asked = {q.strip() for q in quotes}
    assert all(text[s.start : s.end] in asked for s in spans)
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
    covered = {i for s in spans for i in range(s.start, s.end)}
    for quote in asked - {""}:  # whatever stands in the text is covered in one place at least
        place = text.find(quote)
        assert place < 0 or covered & {i for p in range(len(text)) if text.startswith(quote, p)
                                       for i in range(p, p + len(quote))}  # fmt: skip


LIST = [{"text": "Ann", "label": "NAME"}]


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps({"entities": LIST}),
        json.dumps(LIST),
        "```json\n" + json.dumps({"entities": LIST}) + "\n```",
        "Here you are:\n" + json.dumps({"entities": LIST}) + "\nAnything else?",
    ],
)
def test_an_answer_may_be_dressed_up(answer):
    assert entities(answer) == LIST


@pytest.mark.parametrize(
    "answer", ["", "none", "{}", '{"entities": "Zyxomma"}', '{"entities": [{"text": "Zyxomma"', "[" * 9999]
)
def test_an_answer_without_a_list_is_an_error_that_does_not_quote_it(answer):
    with pytest.raises(DataError, match="did not answer with") as error:
        entities(answer)
    assert "Zyxomma" not in str(error.value)


def test_a_whole_word_that_overlaps_a_part_of_one_is_found():
    text = "Rm 21 1 1"
    spans, _ = align(text, [{"text": "1 1", "label": "X"}], ["X"])
    assert [(span.start, span.end) for span in spans] == [(6, 9)]
