"""Replacing spans: everything outside them stays, nothing of them does, and offsets lead back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.redaction.text import OffsetMap, Redacted, clusters, replace, united
from deidlab.types import DataError, Document, Span

LABELS = st.sampled_from(("PATIENT", "DATE", "CITY"))
TEXTS = st.text(st.characters(), min_size=1, max_size=60)


@st.composite
def annotated_texts(draw) -> Document:
    text = draw(TEXTS)
    ends = st.integers(0, len(text)).flatmap(lambda a: st.tuples(st.just(a), st.integers(0, len(text))))
    pairs = draw(st.lists(ends, max_size=6))
    spans = [Span(min(p), max(p), draw(LABELS)) for p in pairs if p[0] != p[1]]
    return Document("d", text, tuple(spans))


@given(annotated_texts(), st.lists(st.text(max_size=5), min_size=6, max_size=6))
@settings(deadline=None)
def test_everything_outside_the_spans_stays_and_offsets_lead_there_and_back(document, words):
    redacted = replace(document, document.spans, words[: len(document.spans)])
    covered = {i for s in document.spans for i in range(s.start, s.end)}
    outside = [i for i in range(len(document.text)) if i not in covered]
    for old in outside:
        new = redacted.offsets.to_new(old)
        assert redacted.text[new] == document.text[old]
        assert redacted.offsets.to_old(new) == old
    groups = [united(group) for group in clusters(sorted(document.spans))]
    assert len(redacted.text) == len(outside) + sum(new for _, _, new in redacted.offsets.edits)
    assert [(start, start + length) for start, length, _ in redacted.offsets.edits] == [
        (g.start, g.end) for g in groups
    ]


@given(annotated_texts(), st.lists(st.text(max_size=5), min_size=6, max_size=6))
@settings(deadline=None)
def test_the_map_inverts_and_survives_json(document, words):
    offsets = replace(document, document.spans, words[: len(document.spans)]).offsets
    assert offsets.inverted().inverted() == offsets
    assert OffsetMap.from_list(offsets.to_list()) == offsets


def test_annotations_of_the_new_text_keep_their_labels():
    document = Document("d", "Mr. Smith of Boston.", (Span(4, 9, "PATIENT", 0.9), Span(13, 19, "CITY")))
    redacted = replace(document, document.spans, ["[NAME]", ""])
    assert redacted.text == "Mr. [NAME] of ."
    assert [(redacted.text[s.start : s.end], s.label, s.score) for s in redacted.spans] == [("[NAME]", "PATIENT", 0.9)]


def test_of_overlapping_spans_the_whole_extent_goes():
    document = Document("d", "seen by Anna Maria Lopez today")
    spans = [Span(8, 18, "PATIENT"), Span(13, 24, "DOCTOR")]
    assert replace(document, spans, ["A", "B"]).text == "seen by B today"


def test_spans_grow_to_whole_replacements_where_they_cut_one():
    offsets = OffsetMap(((4, 5, 2),))  # Mr. Smith was -> Mr. XX was
    assert offsets.span_to_new(0, 6) == (0, 6)
    assert offsets.span_to_new(6, 12) == (4, 9)
    assert offsets.span_to_old(5, 9) == (4, 12)
    assert offsets.span_to_new(10, 13) == (7, 10)


def test_what_was_removed_leaves_its_neighbours_apart():
    offsets = OffsetMap(((3, 4, 0),))
    assert [offsets.to_new(i) for i in (2, 7)] == [2, 3]
    assert [offsets.to_old(i) for i in (2, 3)] == [2, 7]


@pytest.mark.parametrize("span", [Span(3, 3, "DATE"), Span(-1, 2, "DATE"), Span(2, 9, "DATE")])
def test_a_span_that_does_not_lie_in_the_text_is_an_error_without_the_text(span):
    with pytest.raises(DataError, match="note-7: DATE span") as caught:
        replace(Document("note-7", "Jonas"), [span], ["x"])
    assert "Jonas" not in str(caught.value)


@pytest.mark.parametrize("edits", [[[3, 2]], [[3, 2, 1], [4, 1, 1]], [[-1, 2, 3]], [["0", 1, 1]]])
def test_a_list_that_is_no_map_is_refused(edits):
    with pytest.raises(DataError, match="offset map"):
        OffsetMap.from_list(edits)


def test_a_redacted_text_does_not_print_itself():
    assert "Smith" not in repr(Redacted("Smith", (), OffsetMap()))
