"""Rows as integers: equal and ordered as the rows are, however large the offsets."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.metrics.matching import exact, meet, pack, tolerant
from deidlab.metrics.tables import SpanTable
from deidlab.types import Span

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**45), st.integers(0, 2**45)), max_size=8)


@settings(max_examples=50, deadline=None)
@given(ROWS, ROWS)
def test_packed_rows_compare_as_tuples_do(first, second):
    columns = [tuple(np.array(rows, np.int64).reshape(-1, 3).T) for rows in (first, second)]
    keys = np.concatenate(pack(*columns))
    rows = first + second
    assert [rows[i] for i in np.argsort(keys, kind="stable")] == sorted(rows)
    assert len(set(keys.tolist())) == len(set(rows))


@settings(max_examples=50, deadline=None)
@given(*[st.lists(st.integers(0, 9), max_size=8)] * 2)
def test_meet_says_which_keys_stand_on_both_sides(first, second):
    found, right = meet(np.sort(np.array(first, np.int64)), np.sort(np.array(second, np.int64)))
    assert found.tolist() == [key in second for key in sorted(first)]
    assert right.tolist() == [key in first for key in sorted(second)]


def test_offsets_of_trillions_of_characters_still_compare():
    far = 2**40
    gold = SpanTable.of([[Span(far, far + 5, "A"), Span(3, far, "B")]], "AB")
    predicted = SpanTable.of([[Span(far, far + 5, "A"), Span(far, far + 6, "A")]], "AB")
    assert exact(gold, predicted).found.tolist() == [False, True]  # sorted: 3 comes first
    near = tolerant(gold, predicted, 2)
    assert (len(near.predicted), near.right.tolist()) == (1, [True])
