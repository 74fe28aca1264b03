"""Columns of spans and texts hold what was given, and refuse what makes no sense."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.metrics.tables import SpanTable, TextTable
from deidlab.types import DataError, Span

LABELS = ("NAME", "DATE")


def test_a_label_outside_of_the_set_and_reversed_offsets_are_refused():
    with pytest.raises(DataError, match="CITY"):
        SpanTable.of([[Span(0, 1, "CITY")]], LABELS)
    with pytest.raises(DataError, match="document number 1: span 5-3"):
        SpanTable.of([[], [Span(5, 3, "NAME")]], LABELS)


def test_spans_and_texts_of_different_numbers_of_documents_are_refused():
    with pytest.raises(DataError, match="1 documents have spans but 2 have texts"):
        TextTable.of(["a", "b"]).place(SpanTable.of([[Span(0, 1, "NAME")]], LABELS))


def test_no_text_is_printed():
    assert repr(TextTable.of(["Ann Lee", "Bob"])) == "TextTable(documents=2, characters=10)"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=())), max_size=4))
def test_characters_are_classified_as_python_does(notes):
    texts, joined = TextTable.of(notes), "".join(notes)
    assert texts.alphanumeric.tolist() == [c.isalnum() for c in joined]
    assert texts.space.tolist() == [c.isspace() for c in joined]
    assert texts.ascii_alphanumeric.tolist() == [c.isascii() and c.isalnum() for c in joined]
    assert [joined[a:b] for a, b in zip(texts.first[:-1], texts.first[1:], strict=True)] == notes
