"""Spans to labels and windows: every character finds its unit, every subword its window, with any tokenizer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from deidlab.encoding import Encoder, cut_windows, group_units, label_units, subword_bounds
from deidlab.labels import IGNORED, LabelSet
from deidlab.tokenizing import PART
from deidlab.types import ConfigError, Document, Losses, Span
from deidlab.word_bounds import word_bounds

LABELS = LabelSet("t", ("NAME", "AGE"), "BIO")


@pytest.fixture(scope="module", params=["bert", "roberta", "longformer", "deberta"])
def encoder(request, tiny_backbones) -> Encoder:
    return Encoder(AutoTokenizer.from_pretrained(tiny_backbones[request.param]), max_length=24, stride=8)


def test_blanks_are_trimmed_and_zero_width_offsets_repaired():
    text = "a  bc d"
    # A byte-level tokenizer counts the blank before a word; another gives zero width; a third is only blanks.
    bounds = subword_bounds(np.array([(0, 1), (1, 3), (2, 5), (5, 5), (6, 7)]), text)
    assert bounds.tolist() == [[0, 1], [1, 1], [3, 5], [5, 5], [6, 7]]
    assert subword_bounds(np.array([(0, 0), (3, 3), (6, 6)]), text).tolist() == [[0, 1], [3, 5], [6, 7]]


def test_a_subword_across_two_words_makes_them_one_unit():
    text = "ab) c"
    units, spans = group_units(np.array([[0, 1], [1, 3], [4, 5]]), word_bounds(text), "word")
    assert units.tolist() == [0, 0, 1] and spans.tolist() == [[0, 3], [4, 5]]


TEXTS = [
    "Mr. Smith, 54yo, seen 03/04/2012",
    "José A. Müller 👩‍⚕️ said",
    "Jose\u0301\u0301 Mu\u0308ller",
    "tabs\tand\r\nlines\n\n  \u00a0x\u200by",
    "NUL \x00 here, zero\u200bwidth, \ufeffBOM",
    "𝒜𝒷𝒸 𐐷 王伟 नमस्ते",
    "",
    " \n ",
    "a" * 400,
    "\x00\x01",
]


@pytest.mark.parametrize("text", TEXTS)
def test_units_cover_the_words_in_order_without_overlap(encoder, text):
    (encoded,) = encoder.encode([Document("d", text)])
    spans = encoded.unit_spans
    assert (spans[:, 0] < spans[:, 1]).all() and (spans[1:, 0] >= spans[:-1, 1]).all()
    numbers = encoded.units[encoded.units >= 0]
    assert (np.diff(numbers) >= 0).all() and set(numbers) == set(range(len(spans)))
    covered = {i for start, end in spans for i in range(start, end)}
    # Only what a tokenizer drops (controls, format characters) may be in no unit; a name never is.
    missed = [c for i, c in enumerate(text) if i not in covered and not c.isspace()]
    assert all(not c.isprintable() or not c.isalnum() for c in missed)


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=120))
def test_every_subword_is_scored_exactly_once(tiny_backbones, text):
    encoder = Encoder(AutoTokenizer.from_pretrained(tiny_backbones["roberta"]), max_length=16, stride=6)
    (encoded,) = encoder.encode([Document("d", text)])
    seen = np.zeros(len(encoded.input_ids), dtype=int)
    for window in encoder.windows(encoded):
        seen[window.core_start : window.core_end] += 1
        assert len(window.input_ids) <= encoder.max_length - encoder.specials
        assert window.first <= window.core_start <= window.core_end <= window.first + len(window.input_ids)
        assert (encoded.input_ids[window.first :][: len(window.input_ids)] == window.input_ids).all()
    assert (seen == 1).all()


@given(length=st.integers(0, 400), capacity=st.integers(2, 60), share=st.floats(0, 0.95), seed=st.integers(0, 9))
def test_cores_tile_the_document(length, capacity, share, seed):
    stride = int(share * capacity)
    starts = np.flatnonzero(np.random.default_rng(seed).random(max(length, 1)) < 0.4)
    at = 0
    for first, end, core_start, core_end in cut_windows(length, capacity, stride, starts):
        assert core_start == at and first <= core_start <= core_end <= end <= length and end - first <= capacity
        at = core_end
    assert at == length


def test_context_is_masked_and_each_unit_labelled_once(encoder):
    text = "Mr Smith aged 54 " * 12
    spans = tuple(Span(17 * i + 3, 17 * i + 8, "NAME") for i in range(12))
    (encoded,) = encoder.encode([Document("d", text, spans)])
    tags = label_units(spans, encoded.unit_spans, LABELS, Losses())
    windows = encoder.windows(encoded, tags)
    assert len(windows) > 1
    labelled = np.concatenate([w.labels[w.labels != IGNORED] for w in windows])
    assert labelled.tolist() == tags.tolist()
    assert (tags == LABELS.tag_ids["B-NAME"]).sum() == 12


def test_what_cannot_be_represented_is_counted_per_reason_and_label(encoder):
    text = "Smithson is 54 \x00"
    spans = (Span(0, 5, "NAME"), Span(0, 14, "NAME"), Span(12, 14, "AGE"), Span(15, 16, "AGE"))
    (encoded,) = encoder.encode([Document("d", text[:15] + "\n", spans[:3])])
    losses = Losses()
    tags = label_units([*spans[:3], Span(14, 15, "AGE")], encoded.unit_spans, LABELS, losses)
    counted = {(row["reason"], row["label"]): row["count"] for row in losses.rows()}
    assert counted == {
        ("inside_word", "NAME"): 1,  # Smith|son
        ("overlap", "NAME"): 1,
        ("overlap", "AGE"): 1,
        ("no_subword", "AGE"): 1,  # a blank
    }
    assert [LABELS.tags[t] for t in tags] == ["B-NAME", "I-NAME", "I-NAME"]


def test_where_spans_overlap_the_longest_stays_whole_and_the_rest_keeps_its_label(encoder):
    text = "Anne Smith Jones 54"
    (encoded,) = encoder.encode([Document("d", text)])
    tags = label_units((Span(0, 10, "NAME"), Span(5, 19, "AGE")), encoded.unit_spans, LABELS, Losses())
    assert [LABELS.tags[t] for t in tags] == ["B-NAME", "B-AGE", "I-AGE", "I-AGE"]


def test_a_note_of_20_000_subwords_loses_none(encoder):
    text = "Mr Smith aged 54 was seen by Dr Jones . " * 2200
    (encoded,) = encoder.encode([Document("d", text)])
    assert len(encoded.input_ids) >= 20_000
    assert sum(w.core_end - w.core_start for w in encoder.windows(encoded)) == len(encoded.input_ids)
    assert encoded.unit_spans[-1].tolist() == [len(text) - 2, len(text) - 1]


def test_many_documents_are_read_as_each_alone_also_by_two_readers_at_once(encoder):
    documents = [Document(str(n), f"Mr Smith{n} aged {n}\n" * (1 + n % 5)) for n in range(2 * PART + 3)]
    for one, other, document in zip(encoder.encode(documents), encoder.encode(documents), documents, strict=True):
        (alone,) = encoder.encode([document])
        assert one.document_id == other.document_id == document.id
        assert one.input_ids.tolist() == other.input_ids.tolist() == alone.input_ids.tolist()
        assert one.unit_spans.tolist() == alone.unit_spans.tolist()


def test_a_tokenizer_that_cuts_and_pads_is_told_not_to(encoder):
    documents = [Document("long", "Smith " * 50), Document("short", "54")]
    before = [one.input_ids.tolist() for one in encoder.encode(documents)]
    encoder.backend.enable_truncation(4)
    encoder.backend.enable_padding()
    assert [one.input_ids.tolist() for one in encoder.encode(documents)] == before


def test_subword_units_stand_for_whole_words(tiny_backbones):
    tokenizer = AutoTokenizer.from_pretrained(tiny_backbones["bert"])
    (encoded,) = Encoder(tokenizer, 24, 8, "subword").encode([Document("d", "Mrs 54")])
    assert len(encoded.unit_spans) == len(encoded.input_ids) > 2
    assert {tuple(s) for s in encoded.unit_spans.tolist()} == {(0, 3), (4, 6)}


@pytest.mark.parametrize(("max_length", "stride"), [(3, 0), (24, 22), (24, -1)])
def test_a_window_without_room_is_refused(tiny_backbones, max_length, stride):
    with pytest.raises(ConfigError, match="max_length"):
        Encoder(AutoTokenizer.from_pretrained(tiny_backbones["bert"]), max_length, stride)


def test_pieces_stand_for_themselves_and_cut_words():
    words = word_bounds("abcde fg")
    units, unit_spans = group_units(np.array([[0, 2], [2, 5], [5, 5], [6, 8]]), words, "piece")
    assert units.tolist() == [0, 1, -1, 2]
    assert unit_spans.tolist() == [[0, 2], [2, 5], [6, 8]]
