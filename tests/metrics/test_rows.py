"""Rows of a report: what is null, what is zero, and what a mean is over."""

import pytest

from deidlab.metrics.families import overlap, strict
from deidlab.metrics.matching import exact
from deidlab.metrics.rows import rows
from deidlab.metrics.tables import SpanTable
from deidlab.types import Span

LABELS = ("NAME", "DATE", "AGE")


def counts(*notes, family=strict):
    gold, predicted = zip(*notes, strict=True)
    sides = (SpanTable.of([[Span(*s) for s in one] for one in side], LABELS) for side in (gold, predicted))
    return family(exact(*sides))


A = ([(0, 1, "NAME"), (2, 3, "NAME")], [(0, 1, "NAME")])
B = ([(0, 1, "NAME")], [(0, 1, "NAME"), (5, 6, "DATE")])


def test_micro_pools_macro_averages_documents_and_labels_that_do_not_occur_have_no_row():
    micro, macro, name, date = rows(counts(A, B), "strict")
    common = {"metric": "strict", "slice": "all"}
    assert micro == {**common, "label": "micro", "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "support": 3}
    assert (macro["precision"], macro["recall"], macro["f1"]) == (0.75, 0.75, 0.75)
    assert name == {
        **common,
        "label": "NAME",
        "precision": 1.0,
        "recall": 2 / 3,
        "f1": pytest.approx(0.8),
        "support": 3,
    }
    # Predicted but never gold: its recall is undefined, not 0; nothing can match, so F1 is 0.
    assert date == {**common, "label": "DATE", "precision": 0.0, "recall": None, "f1": 0.0, "support": 0}


def test_ratios_of_nothing_are_null():
    micro, macro = rows(counts(([], [])), "strict")
    assert (micro["precision"], micro["recall"], micro["f1"], micro["support"]) == (None, None, None, 0)
    assert (macro["precision"], macro["recall"], macro["f1"]) == (0.0, 0.0, None)  # as the official scorer prints


def test_a_slice_holds_its_members_only():
    (micro, *_) = rows(counts(A, B), "strict", slice="sex=f", members=[1])
    assert (micro["slice"], micro["precision"], micro["recall"], micro["support"]) == ("sex=f", 0.5, 1.0, 1)


def test_macro_of_seqeval_is_the_mean_over_types():
    macro = rows(counts(A, B), "seqeval")[1]
    assert (macro["precision"], macro["recall"]) == (0.5, pytest.approx(1 / 3))


def test_overlap_may_find_more_than_it_predicts_right():
    (micro, *_) = rows(counts(([(0, 9, "NAME")], [(0, 2, "NAME"), (4, 5, "NAME")]), family=overlap), "overlap")
    assert (micro["precision"], micro["recall"], micro["support"]) == (1.0, 1.0, 1)
