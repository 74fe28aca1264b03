"""What stays readable, counted on texts one can see."""

from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.metrics.counts import ALL, FOUND, GOLD
from deidlab.metrics.leak import char_leak, document_clean
from deidlab.metrics.rows import rows
from deidlab.metrics.tables import SpanTable, TextTable
from deidlab.types import Span

LABELS = ("NAME", "DATE")


def leak(text, gold, predicted):
    sides = ([[Span(*s) for s in side]] for side in (gold, predicted))
    return char_leak(*(SpanTable.of(side, LABELS) for side in sides), TextTable.of([text]))


def test_a_name_redacted_as_a_date_is_no_leak():
    counts = leak("Ann Lee", [(0, 7, "NAME")], [(0, 7, "DATE")])
    assert {row["label"]: row["value"] for row in rows(counts, "char_leak")} == {"micro": 0.0, "NAME": 0.0}


def test_white_space_between_two_predictions_is_no_leak_but_punctuation_is():
    assert leak("Ann \u2009Lee", [(0, 8, "NAME")], [(0, 3, "NAME"), (5, 8, "NAME")]).total()[
        ALL, [GOLD, FOUND]
    ].tolist() == [6, 6]
    assert leak("p@$$", [(0, 4, "NAME")], [(0, 1, "NAME")]).total()[ALL, [GOLD, FOUND]].tolist() == [4, 1]


def test_a_character_in_two_gold_spans_counts_once_together_and_once_in_each_label():
    counts = leak("Ann Lee 5", [(0, 7, "NAME"), (4, 9, "DATE"), (0, 3, "NAME")], [(0, 3, "NAME")])
    assert counts.total()[:, [GOLD, FOUND]].tolist() == [[7, 3], [6, 3], [4, 0]]


def test_a_document_is_clean_if_nothing_leaks_and_one_without_gold_does_not_count():
    texts = TextTable.of(["Ann", "Bob", "nobody"])
    gold = SpanTable.of([[Span(0, 3, "NAME")], [Span(0, 3, "NAME")], []], LABELS)
    predicted = SpanTable.of([[Span(0, 5, "DATE")], [Span(0, 2, "NAME")], [Span(0, 2, "NAME")]], LABELS)
    clean = document_clean(char_leak(gold, predicted, texts))
    assert rows(clean, "document_clean") == [
        {"metric": "document_clean", "label": "micro", "slice": "all", "value": 0.5, "support": 2},
        {"metric": "document_clean", "label": "NAME", "slice": "all", "value": 0.5, "support": 2},
    ]


def test_a_prediction_never_covers_the_next_document():
    texts = TextTable.of(["ab", "cd"])
    gold, predicted = (SpanTable.of(s, LABELS) for s in ([[], [Span(0, 2, "NAME")]], [[Span(0, 9, "NAME")], []]))
    assert char_leak(gold, predicted, texts).total()[ALL, [GOLD, FOUND]].tolist() == [2, 0]


TEXT = "a b\tcé-1 x"
SPANS = st.lists(
    st.tuples(st.integers(0, len(TEXT)), st.integers(0, len(TEXT)), st.sampled_from(LABELS)).map(
        lambda t: (min(t[:2]), max(t[:2]), t[2])
    ),
    max_size=6,
)


@settings(max_examples=75, deadline=None)
@given(SPANS, SPANS)
def test_leak_equals_sets_of_characters(gold, predicted):
    def characters(spans):
        return {i for start, end, _ in spans for i in range(start, end) if not TEXT[i].isspace()}

    expected = []
    for label in (None, *LABELS):
        own = characters([span for span in gold if label in (None, span[2])])
        expected.append([len(own), len(own & characters(predicted))])
    assert leak(TEXT, gold, predicted).total()[:, [GOLD, FOUND]].tolist() == expected
