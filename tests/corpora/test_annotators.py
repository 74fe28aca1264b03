"""Several annotators of one note: agreement is one voice, disagreement is what the policy says."""

import pytest

from deidlab.corpora.annotators import merged, settled
from deidlab.types import DataError, Document, Losses, Span

ANNA, BONN = Span(0, 4, "NAME"), Span(8, 12, "CITY")


def test_those_who_agree_are_one_whatever_the_order_of_their_spans():
    losses = Losses()
    assert settled("a", [(ANNA, BONN), (BONN, ANNA)], "error", losses) == (ANNA, BONN)
    assert losses.rows() == [{"reason": "other_version", "label": "-", "count": 1}]


def test_disagreement_is_an_error_or_the_first_or_all():
    versions = [(ANNA,), (BONN, ANNA)]
    with pytest.raises(DataError, match=r"a: its 2 annotations differ; .* data.reader.annotators=first"):
        settled("a", versions, "error", Losses())
    losses = Losses("count")
    assert settled("a", versions, "error", losses) is None
    assert losses.counts["annotators_disagree", "-"] == 1
    assert settled("a", versions, "first", Losses()) == (ANNA,)
    assert settled("a", versions, "union", Losses()) == (ANNA, BONN)


def test_records_of_one_note_are_merged_and_other_texts_of_its_id_are_not():
    notes = [
        Document("a", "Anna in Bonn", (ANNA,)), Document("b", "x"), Document("a", "Anna in Bonn", (BONN,)),
        Document("a", "another"),
    ]  # fmt: skip
    found = list(merged(notes, "union", Losses()))
    assert [(d.id, d.text, d.spans) for d in found] == [
        ("a", "Anna in Bonn", (ANNA, BONN)), ("b", "x", ()), ("a", "another", ()),
    ]  # fmt: skip
