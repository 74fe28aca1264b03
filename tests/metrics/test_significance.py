"""Paired tests on small corpora whose exact answer is known."""

from itertools import product

import numpy as np
import pytest

from deidlab.metrics.families import strict
from deidlab.metrics.intervals import Resamples
from deidlab.metrics.matching import exact
from deidlab.metrics.significance import compare
from deidlab.metrics.tables import SpanTable
from deidlab.types import DataError, Span

LABELS = ("NAME", "DATE")


def system(hits):
    gold = [[Span(0, 3, "NAME")] for _ in hits]
    found = [g if hit else [] for g, hit in zip(gold, hits, strict=True)]
    return strict(exact(SpanTable.of(gold, LABELS), SpanTable.of(found, LABELS)))


FIRST = np.array([1, 0, 0, 1, 0, 0, 1, 1], bool)
SECOND = np.array([1, 1, 1, 1, 1, 0, 1, 0], bool)


def test_the_permutation_test_approaches_the_share_over_all_arrangements():
    steps = SECOND.astype(int) - FIRST
    exact = np.mean([abs(np.dot(signs, steps)) >= steps.sum() for signs in product((1, -1), repeat=8)])
    result = compare(system(FIRST), system(SECOND), "strict", "recall", Resamples(np.arange(8), 20_000))
    assert (result.first, result.second, result.difference) == (0.5, 0.75, 0.25)
    assert result.p_value == pytest.approx(exact, abs=0.015)


def test_equal_systems_do_not_differ():
    for test in ("permutation", "bootstrap"):
        result = compare(system(FIRST), system(FIRST), "strict", "f1", Resamples(np.arange(8)), test=test)
        assert (result.difference, result.p_value) == (0.0, 1.0)


def test_a_clear_difference_is_found_by_both_tests_and_pairing_is_what_finds_it():
    rng = np.random.default_rng(0)
    first = rng.random(300) < 0.5
    second = first | (rng.random(300) < 0.1)
    resamples = Resamples(np.arange(300), 2000)
    assert compare(system(first), system(second), "strict", "recall", resamples).p_value < 0.002
    drawn = compare(system(first), system(second), "strict", "recall", resamples, test="bootstrap")
    assert drawn.p_value < 0.002
    assert 0 < drawn.low < drawn.difference < drawn.high < 0.1


def test_patients_are_swapped_whole():
    # Twenty notes, all won by the second system, but of two patients only: half of the arrangements are as extreme.
    result = compare(
        system([False] * 20), system([True] * 20), "strict", "recall", Resamples(np.arange(20) // 10, 4000)
    )
    assert result.p_value == pytest.approx(0.5, abs=0.03)


def test_macro_and_labels_can_be_tested_and_one_patient_cannot():
    args = (system(FIRST), system(SECOND), "strict", "recall")
    for label in ("macro", "NAME"):
        assert compare(*args, Resamples(np.arange(8)), label=label).difference == 0.25
    assert compare(*args, Resamples(np.arange(8)), label="DATE").difference is None
    assert compare(*args, Resamples(np.zeros(8, int))).p_value is None


def test_other_notes_are_refused():
    with pytest.raises(DataError, match="same notes"):
        compare(system([True]), system([True, False]), "strict", "f1", Resamples(np.arange(2)))
