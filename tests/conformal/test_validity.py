"""Divided again and again, patients drawn from one source find the promise kept, and those of another need not."""

import numpy as np
import pytest

from deidlab.conformal.validity import Promise, divided


def losses_of(patients: int, harder: float = 1.0, seed: int = 0) -> np.ndarray:
    """Losses over 40 thresholds: each patient's falls in steps to nothing, the later the harder."""
    rng = np.random.default_rng(seed)
    size, last = rng.beta(1, 4, (patients, 1)), rng.beta(1, 6, (patients, 1)) * harder
    return size * (np.linspace(0, 1, 40) < last)


def test_a_promise_on_average_is_kept_on_average():
    told = divided(losses_of(400), Promise(0.05), patients=100)
    assert told["promised"] == 200
    assert told["risk_seen"] <= 0.05 and told["held"] < 0.95


def test_a_promise_with_confidence_is_kept_so_often():
    told = divided(losses_of(600), Promise(0.05, 0.95), patients=200)
    assert told["promised"] == 200 and told["held"] >= 0.95


def test_too_few_patients_promise_nothing_and_say_how_many_are_needed():
    assert divided(losses_of(80), Promise(0.01), patients=50) == {"promised": 0, "repeats": 200, "needed": 99}


def test_harder_patients_break_the_promise():
    here, there = losses_of(300), losses_of(300, harder=3, seed=1)
    place = Promise(0.05).place(here)
    assert here[:, place].mean() <= 0.05 < there[:, place].mean()


@pytest.mark.parametrize("confidence", [None, 0.9])
def test_a_lower_risk_takes_a_lower_threshold(confidence):
    losses = losses_of(500)
    assert Promise(0.02, confidence).place(losses) >= Promise(0.1, confidence).place(losses)
