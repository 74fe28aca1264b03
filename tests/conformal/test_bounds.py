"""Promises about patients to come: they hold as often as they say, and say when too few patients were seen."""

import numpy as np
import pytest

from deidlab.conformal.bounds import LEVELS, expected, patients_needed, upper


def drawn_losses(rng: np.random.Generator, patients: int) -> np.ndarray:
    """One column of losses as notes have them: mostly none, now and then a part, rarely all; their mean is 0.026."""
    kind = rng.random((patients, 1))
    return np.where(kind < 0.01, 1.0, np.where(kind < 0.09, 0.2, 0.0))


@pytest.mark.parametrize("level", LEVELS)
def test_upper_bounds_hold_as_often_as_they_say(level):
    rng = np.random.default_rng(0)
    # 400 calibrations side by side: each column is a draw of its own.
    losses = np.concatenate([drawn_losses(rng, 150) for _ in range(400)], axis=1)
    assert (upper(losses, level) >= 0.026).mean() >= level - 0.02


def test_upper_bounds_come_close_with_many_patients():
    losses = drawn_losses(np.random.default_rng(1), 20_000)
    assert losses.mean() < upper(losses, 0.95)[0] < losses.mean() + 0.01


def test_upper_bounds_of_larger_losses_are_no_smaller():
    losses = np.random.default_rng(2).random((80, 1)) ** 4
    shrunk = losses * np.linspace(1, 0, 12)
    assert (np.diff(upper(shrunk, 0.9)) <= 1e-6).all()


def test_the_promise_on_average_counts_the_next_patient_as_lost():
    assert expected(np.array([0.0, 0.5]), 9).tolist() == [0.1, 0.55]


@pytest.mark.parametrize(("alpha", "needed"), [(0.1, 9), (0.01, 99), (0.005, 199)])
def test_the_patients_that_a_promise_needs(alpha, needed):
    assert patients_needed(alpha) == needed
    assert expected(np.zeros(1), needed)[0] <= alpha + 1e-12 < expected(np.zeros(1), needed - 1)[0]


def test_a_promise_with_confidence_needs_more_and_no_more_than_it_says():
    needed = patients_needed(0.05, 0.95)
    assert needed > patients_needed(0.05)
    assert upper(np.zeros((needed, 1)), 0.95)[0] <= 0.05 < upper(np.zeros((needed - 1, 1)), 0.95)[0]


def test_of_no_patient_nothing_is_known():
    assert upper(np.empty((0, 3)), 0.9).tolist() == [1, 1, 1]
