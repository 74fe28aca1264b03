"""How true probabilities are: bins of equal mass, and an error that true ones show by chance alone."""

import numpy as np
import pytest

from deidlab.calibration.measures import judged, noise_floor, reliability


def test_bins_have_equal_mass_and_the_error_is_their_mean_gap():
    confidence = np.array([0.1, 0.1, 0.9, 0.9])
    right = np.array([False, False, True, False])
    bins = reliability(confidence, right, bins=2)
    assert bins.count.tolist() == [2, 2] and bins.accuracy.tolist() == [0, 0.5]
    assert bins.ece == pytest.approx((2 * 0.1 + 2 * 0.4) / 4)
    assert judged(confidence, right)["brier"] == pytest.approx((0.01 + 0.01 + 0.01 + 0.81) / 4)


def test_the_error_of_true_probabilities_is_the_noise_floor():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 2000)
    right = rng.random(2000) < confidence
    assert judged(confidence, right)["ece"] == pytest.approx(noise_floor(confidence), rel=0.6)


def test_nothing_to_judge_says_nothing():
    empty = judged(np.empty(0), np.empty(0, dtype=bool))
    assert empty["ece"] is None and empty["brier"] is None and noise_floor(np.empty(0)) is None
