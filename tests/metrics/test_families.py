"""Each family on spans one can count by hand, and against a naive reference on random ones."""

import re
from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.metrics import families
from deidlab.metrics.counts import ALL, concatenate
from deidlab.metrics.matching import exact, tolerant
from deidlab.metrics.rows import rows
from deidlab.metrics.tables import SpanTable, TextTable
from deidlab.metrics.tokens import WordTable
from deidlab.types import Span

LABELS = ("NAME", "DATE")
TEXT = "Ann-Mai Ö1  b2c 3/4"
SPAN = st.tuples(st.integers(0, len(TEXT)), st.integers(0, len(TEXT)), st.sampled_from(LABELS)).map(
    lambda t: Span(min(t[:2]), max(t[:2]), t[2])
)
SIDE = st.lists(SPAN, max_size=7)
NOTES = st.lists(st.tuples(SIDE, SIDE), min_size=1, max_size=3)


def tables(notes):
    gold, predicted = zip(*notes, strict=True)
    return SpanTable.of(gold, LABELS), SpanTable.of(predicted, LABELS)


def texts(notes):
    return TextTable.of([TEXT] * len(notes))


def one(gold, predicted):
    return tables([([Span(*s) for s in gold], [Span(*s) for s in predicted])])


def test_strict_wants_both_offsets_and_the_type_and_counts_repetitions_once():
    gold = [(0, 3, "NAME"), (0, 3, "NAME"), (5, 9, "DATE")]
    predicted = [(0, 3, "NAME"), (5, 9, "NAME"), (5, 8, "DATE")]
    total = families.strict(exact(*one(gold, predicted))).total()
    #                                    gold found predicted right
    np.testing.assert_array_equal(total, [[2, 1, 3, 1], [1, 1, 2, 1], [1, 0, 1, 0]])


def test_relaxed_lets_the_end_move_by_two_but_not_the_start():
    gold = [(0, 5, "NAME"), (10, 15, "NAME"), (20, 25, "DATE"), (30, 35, "DATE")]
    predicted = [(0, 7, "NAME"), (10, 18, "NAME"), (21, 25, "DATE"), (30, 33, "DATE")]
    total = families.relaxed(tolerant(*one(gold, predicted), 2)).total()
    np.testing.assert_array_equal(total, [[4, 2, 4, 2], [2, 1, 2, 1], [2, 1, 2, 1]])


def test_relaxed_collapses_near_repetitions_in_the_order_they_were_given():
    assert (
        families.relaxed(tolerant(*one([], [(0, 10, "NAME"), (0, 12, "NAME"), (0, 14, "NAME")]), 2)).total()[ALL, 2]
        == 2
    )
    assert (
        families.relaxed(tolerant(*one([], [(0, 12, "NAME"), (0, 10, "NAME"), (0, 14, "NAME")]), 2)).total()[ALL, 2]
        == 1
    )


def test_overlap_wants_a_common_character_and_the_type():
    gold = [(0, 5, "NAME"), (10, 15, "DATE")]
    predicted = [(1, 2, "NAME"), (4, 9, "NAME"), (5, 8, "NAME"), (14, 20, "NAME")]
    total = families.overlap(exact(*one(gold, predicted))).total()
    np.testing.assert_array_equal(total, [[2, 1, 4, 2], [1, 1, 4, 2], [1, 0, 0, 0]])


def test_token_credits_the_part_that_was_found():
    gold, predicted = one([(0, 7, "NAME")], [(0, 3, "NAME")])  # Ann-Mai against Ann
    assert measured(gold, predicted)["token"].total()[ALL].tolist() == [2, 1, 1, 1]


def test_binary_counts_places_together_and_spans_per_label():
    gold = [(0, 3, "NAME"), (0, 3, "DATE"), (5, 9, "DATE")]
    predicted = [(0, 3, "DATE"), (5, 9, "NAME"), (6, 9, "NAME")]
    total = families.binary_strict(exact(*one(gold, predicted))).total()
    np.testing.assert_array_equal(total, [[2, 2, 3, 2], [1, 1, 2, 1], [2, 2, 1, 1]])


def test_measure_leaves_hipaa_out_where_no_label_is_a_hipaa_type():
    gold, predicted = one([(0, 3, "NAME")], [])
    assert not any(name.startswith("hipaa") for name in measured(gold, predicted, {"ZIP"}))
    assert "hipaa_relaxed_mended" in measured(gold, predicted, {"NAME"})


def test_every_family_has_its_name_in_the_list():
    gold, predicted = one([(0, 3, "NAME")], [])
    # The coarse categories of a label set are measured where that is known.
    assert {*measured(gold, predicted, {"NAME"}), "binary_subword", "category_strict"} == set(families.FAMILIES)


def measured(gold, predicted, hipaa=()):
    return families.measure(gold, predicted, TextTable.of([TEXT]), hipaa=hipaa, hipaa_mended=hipaa)


class Tolerant:
    """A span that equals another if start and label do and the ends are near: what the official script puts in sets."""

    def __init__(self, span):
        self.key, self.end = (span.start, span.label), span.end

    def __hash__(self):
        return hash(self.key)

    def __eq__(self, other):
        return self.key == other.key and abs(self.end - other.end) <= 2


@settings(max_examples=150, deadline=None)
@given(NOTES)
def test_relaxed_equals_sets_under_a_tolerant_equality(notes):
    found = predicted = gold = 0
    for side, other in notes:
        g, p = ({Tolerant(span): None for span in spans} for spans in (side, other))
        g, p = set(g), set(p)
        both = len(g & p)
        # One by one: CPython's set difference takes a short cut if one set is over four times as large.
        found, predicted = found + both, predicted + both + sum(span not in g for span in p)
        gold += both + sum(span not in p for span in g)
    assert families.relaxed(tolerant(*tables(notes), 2)).total()[ALL].tolist() == [gold, found, predicted, found]


def tokens_by_hand(spans):
    out = set()
    for span in spans:
        inside = [(m.start(), m.end()) for m in re.finditer("[a-zA-Z0-9]+", TEXT[span.start : span.end])]
        width = span.end - span.start
        out |= {(span.start + a, span.start + b, span.label) for a, b in inside or [(width, width)]}
    return out


@settings(max_examples=75, deadline=None)
@given(NOTES)
def test_set_families_equal_sets(notes):
    expected = defaultdict(int)
    for sides in notes:
        whole = [{(span.start, span.end, span.label) for span in spans} for spans in sides]
        cut = [tokens_by_hand(spans) for spans in sides]
        for name, (g, p) in {"strict": whole, "token": cut}.items():
            for prefix, keep in (("", 3), ("binary_", 2)):
                a, b = {x[:keep] for x in g}, {x[:keep] for x in p}
                expected[prefix + name] += np.array([len(a), len(a & b), len(b), len(a & b)])
        g, p = whole
        hits = [
            sum(any(a[2] == b[2] and max(a[0], b[0]) < min(a[1], b[1]) for b in others) for a in side)
            for side, others in ((g, p), (p, g))
        ]
        expected["overlap"] += np.array([len(g), hits[0], len(p), hits[1]])
    gold, predicted = tables(notes)
    actual = families.measure(gold, predicted, texts(notes))
    for name, counts in expected.items():
        np.testing.assert_array_equal(actual[name].total()[ALL], counts, err_msg=name)


@settings(max_examples=30, deadline=None)
@given(NOTES)
def test_chunks_concatenate_to_the_whole(notes):
    whole = families.measure(*tables(notes), texts(notes))
    parts = [families.measure(*tables([note]), texts([note])) for note in notes]
    for name, counts in whole.items():
        joined = concatenate(part[name] for part in parts)
        np.testing.assert_array_equal(joined.dense(), counts.dense(), err_msg=name)


def test_binary_subword_counts_the_pieces_that_spans_touch_whatever_their_type():
    text = "Ann Lee, 54"
    # An | n | Lee | , | a blank | 54 of the first note; the second has one piece.
    pieces = [np.array([(0, 2), (2, 3), (4, 7), (7, 8), (8, 8), (9, 11)]), np.array([(0, 3)])]
    gold = SpanTable.of([[Span(0, 7, "NAME"), Span(9, 11, "AGE")], []], ("NAME", "AGE"))
    found = SpanTable.of([[Span(1, 3, "AGE"), Span(7, 8, "NAME")], [Span(1, 2, "AGE")]], ("NAME", "AGE"))
    joined = TextTable.of([text, "Bob"])
    (row, *_) = rows(families.binary_subword(gold, found, joined, WordTable.at(pieces, joined)), "binary_subword")
    # Of An, n, Lee, 54 the first two are touched; of what is touched, An and n are right, the comma and Bob are not.
    assert (row["recall"], row["precision"], row["support"]) == (2 / 4, 2 / 4, 4)
