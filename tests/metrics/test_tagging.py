"""The fast path finds what seqeval's strict mode finds, on any sequences of tags."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.scheme import Entities

from deidlab.labels import PREFIXES
from deidlab.metrics.counts import ALL
from deidlab.metrics.families import strict
from deidlab.metrics.matching import exact
from deidlab.metrics.rows import rows
from deidlab.metrics.seqeval_metric import SCHEMES, StrictSeqeval
from deidlab.metrics.tables import SpanTable, TextTable
from deidlab.metrics.tagging import TagTable, entities, tag_words
from deidlab.metrics.tokens import WordTable
from deidlab.types import DataError, Span

LABELS = ("A", "B")


def found(sequences, scheme):
    """(sequence, type, first word, word after the last) of every entity on the fast path."""
    table = entities(TagTable.of(sequences, LABELS, scheme), scheme)
    before = np.cumsum([0, *map(len, sequences)])[table.document]
    columns = (table.document, [LABELS[i] for i in table.label], table.start - before, table.end - before)
    return {(int(d), label, int(start), int(end)) for d, label, start, end in zip(*columns, strict=True)}


def tags_of(scheme):
    return st.sampled_from(
        ["O", *(f"{prefix}-{label}" for label in LABELS for prefix in dict.fromkeys(PREFIXES[scheme]))]
    )


@pytest.mark.parametrize("scheme", PREFIXES)
def test_entities_are_those_of_seqeval(scheme):
    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.lists(tags_of(scheme), max_size=8), min_size=1, max_size=3))
    def claim(sequences):
        official = Entities(sequences, SCHEMES[scheme]).entities
        assert found(sequences, scheme) == {entity.to_tuple() for one in official for entity in one}

    claim()


def test_ill_formed_entities_count_only_as_far_as_the_scheme_allows():
    assert found([["I-A", "B-A", "I-A", "I-B"]], "BIO") == {(0, "A", 1, 3)}
    assert found([["B-A", "I-A", "O", "U-A", "B-B", "L-B"]], "BILOU") == {(0, "A", 3, 4), (0, "B", 4, 6)}
    assert found([["I-A", "I-A"], ["I-A"]], "IO") == {(0, "A", 0, 2), (1, "A", 0, 1)}


@pytest.mark.parametrize("scheme", PREFIXES)
def test_counts_and_rows_equal_the_metric_behind_evaluates_interface(scheme, tmp_path):
    rng = np.random.default_rng(7)
    names = ["O", *(f"{prefix}-{label}" for label in LABELS for prefix in dict.fromkeys(PREFIXES[scheme]))]
    gold = [[names[i] for i in rng.integers(len(names), size=n)] for n in rng.integers(1, 30, size=40)]
    predicted = [[tag if rng.random() < 0.8 else names[rng.integers(len(names))] for tag in one] for one in gold]
    official = StrictSeqeval(scheme, tmp_path).compute(predictions=predicted, references=gold)
    match = exact(*(entities(TagTable.of(sequences, LABELS, scheme), scheme) for sequences in (gold, predicted)))
    ours = {row["label"]: row for row in rows(strict(match), "seqeval")}
    for label in LABELS:
        assert {m: ours[label][m] for m in ("precision", "recall", "f1")} == pytest.approx(
            {m: official[label][m] for m in ("precision", "recall", "f1")}, abs=1e-15
        )
        assert ours[label]["support"] == official[label]["number"]
    for measure in ("precision", "recall", "f1"):
        assert ours["micro"][measure] == pytest.approx(official[f"overall_{measure}"], abs=1e-15)
    assert ours["macro"]["f1"] == pytest.approx(official["macro_f1"], abs=1e-15)


def test_words_are_runs_of_letters_and_digits_and_single_other_characters():
    texts = TextTable.of(["Dr. Åsa-2\n", "", "x y"])
    words = WordTable.of(texts)
    joined = "Dr. Åsa-2\nx y"
    assert [joined[a:b] for a, b in zip(words.start, words.end, strict=True)] == ["Dr", ".", "Åsa", "-", "2", "x", "y"]
    assert words.document.tolist() == [0, 0, 0, 0, 0, 2, 2]


def test_a_word_ends_where_its_document_ends():
    words = WordTable.of(TextTable.of(["ab", "cd"]))
    assert list(zip(words.start.tolist(), words.end.tolist(), strict=True)) == [(0, 2), (2, 4)]


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("IO", "I-A I-A I-A I-B O"),
        ("BIO", "B-A B-A I-A B-B O"),
        ("BIOES", "S-A B-A E-A S-B O"),
        ("BILOU", "U-A B-A L-A U-B O"),
    ],
)
def test_spans_become_tags_of_the_words_they_touch(scheme, tags):
    texts = TextTable.of(["aa bb cc dd ee"])
    # The last two spans lose the words that an earlier or longer one holds.
    spans = [Span(0, 2, "A"), Span(4, 7, "A"), Span(9, 11, "B"), Span(6, 8, "B"), Span(4, 5, "B")]
    table = tag_words(SpanTable.of([spans], LABELS), texts, WordTable.of(texts), scheme)
    assert [" ".join(one) for one in table.sequences(scheme)] == [tags]


def test_without_spans_everything_is_outside():
    texts = TextTable.of(["aa bb", ""])
    nothing = SpanTable.of([[], []], LABELS)
    tags = tag_words(nothing, texts, WordTable.of(texts), "BIO")
    assert tags.sequences("BIO") == [["O", "O"], []]
    assert not strict(exact(entities(tags, "BIO"), entities(tags, "BIO"))).total()[ALL].any()


def test_a_tag_of_another_scheme_is_refused():
    with pytest.raises(DataError, match="U-A"):
        TagTable.of([["U-A"]], LABELS, "BIO")
