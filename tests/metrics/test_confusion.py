"""Types taken for other types, on spans one can see."""

from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.metrics.confusion import confusion
from deidlab.metrics.tables import SpanTable
from deidlab.types import Span

LABELS = ("NAME", "DATE")


def matrix(*notes):
    sides = zip(*notes, strict=True)
    return confusion(
        *(SpanTable.of([[Span(*s) for s in one] for one in side], LABELS) for side in sides)
    ).matrix.tolist()


def test_right_mistaken_missed_and_spurious():
    gold = [(0, 4, "NAME"), (5, 9, "NAME"), (10, 14, "DATE")]
    predicted = [(0, 4, "NAME"), (6, 9, "DATE"), (20, 22, "NAME")]
    assert matrix((gold, predicted)) == [[1, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_the_larger_share_wins_then_the_same_type():
    assert matrix(([(0, 9, "NAME")], [(0, 2, "NAME"), (2, 9, "DATE")]))[0] == [0, 1, 0]
    assert matrix(([(0, 8, "NAME")], [(0, 4, "DATE"), (4, 8, "NAME")]))[0] == [1, 0, 0]


def test_documents_do_not_meet():
    assert matrix(([(0, 4, "NAME")], []), ([], [(0, 4, "NAME")])) == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]


SIDE = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 6), st.sampled_from(LABELS)).map(lambda t: (t[0], t[0] + t[1], t[2])),
    max_size=6,
)


@settings(max_examples=75, deadline=None)
@given(st.lists(st.tuples(SIDE, SIDE), min_size=1, max_size=3))
def test_equals_looking_at_every_pair(notes):
    expected = [[0, 0, 0], [0, 0, 0], [0, 0, 0]]
    for gold, predicted in notes:
        gold, predicted = set(gold), list(dict.fromkeys(predicted))

        def shared(a, b):
            return min(a[1], b[1]) - max(a[0], b[0])

        for g in gold:
            touching = [p for p in predicted if shared(g, p) > 0]
            best = max(touching, key=lambda p: (shared(g, p), p[2] == g[2]), default=None)
            expected[LABELS.index(g[2])][2 if best is None else LABELS.index(best[2])] += 1
        for p in predicted:
            expected[2][LABELS.index(p[2])] += not any(shared(g, p) > 0 for g in gold)
    assert matrix(*notes) == expected
