import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from deidlab.review.agreement import agreement, agreements, kappa
from deidlab.types import Document, Span

TEXT = "Mr Smith, 54, was seen by Dr Jones."


def documents(*spans: tuple[Span, ...]) -> list[Document]:
    return [Document(f"n-{i}", TEXT, one) for i, one in enumerate(spans)]


SMITH, AGE, JONES = Span(3, 8, "PATIENT"), Span(10, 12, "AGE"), Span(29, 34, "DOCTOR")


def test_f1_counts_equal_offsets_and_types_and_kappa_counts_words():
    mine = documents((SMITH, AGE), (SMITH,))
    theirs = documents((SMITH, JONES), (SMITH,))
    found = agreement("Ada", "Ben", mine, theirs)
    assert (found.notes, found.different) == (2, ("n-0",))
    assert found.f1 == pytest.approx(2 * 2 / (3 + 3))
    # Eleven words and marks a note: Mr Smith , 54 , was seen by Dr Jones .
    ada = [0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0] + [0, 1] + [0] * 9
    ben = [0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0] + [0, 1] + [0] * 9
    assert found.kappa == pytest.approx(cohen_kappa_score(ada, ben))


def test_full_agreement_none_and_nothing_to_agree_on():
    assert (agreement("A", "B", *[documents((SMITH, AGE))] * 2).f1, kappa([0, 1], [0, 1])) == (1, 1)
    apart = agreement("A", "B", documents((SMITH,)), documents((JONES,)))
    assert apart.f1 == 0 and apart.kappa is not None and apart.kappa < 0.01
    nothing = agreement("A", "B", documents(()), documents(()))
    assert (nothing.f1, nothing.kappa, nothing.different) == (None, None, ())


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_scikit_learns(seed):
    first, second = np.random.default_rng(seed).integers(0, 4, (2, 50))
    assert kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))


def test_only_notes_that_both_have_finished_are_compared(desk):
    def decide(who, number, action, span=None):
        entry = desk.queue.entries[number]
        revision = desk.opinions.held(who, entry.id).revision
        desk.decide(number, entry.fingerprint, who, revision, action, span)

    decide("Ada", 0, "reject", Span(50, 54, "PATIENT"))
    for who, number in (("Ada", 0), ("Ada", 1), ("Ben", 1)):
        decide(who, number, "finish")
    (pair,) = agreements(desk.opinions)
    assert (pair.first, pair.second, pair.notes, pair.f1, pair.different) == ("Ada", "Ben", 1, 1.0, ())
    decide("Ben", 0, "finish")
    (pair,) = agreements(desk.opinions)
    assert (pair.notes, pair.different) == (2, ("n-1",))
    assert pair.f1 == pytest.approx(2 * 3 / (3 + 4))
