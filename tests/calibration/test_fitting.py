"""Fits bring back what was done to true probabilities, and stay believable where notes tell little."""

import numpy as np
import pytest

from deidlab.calibration.fitting import fit, with_spans
from deidlab.calibration.measures import judged
from deidlab.calibration.scaling import Calibration, identifier_log_odds, normalised, sigmoid, span_odds
from deidlab.labels import LabelSet
from deidlab.types import DataError

LABELS = LabelSet("two", ("A", "B"), "BIO")  # O, B-A, I-A, B-B, I-B
METHODS = ("temperature", "vector", "isotonic")


def likelihood(log_probs: np.ndarray, gold: np.ndarray) -> float:
    return float(log_probs[np.arange(len(gold)), gold].mean())


def test_a_temperature_is_found_again(true_units):
    log_probs, gold = true_units(4000)
    sharpened = normalised(3 * log_probs)
    found = fit("temperature", sharpened, gold, LABELS)
    assert found.scale[0] == pytest.approx(1 / 3, rel=0.06)
    assert np.abs(np.exp(found.units(sharpened)) - np.exp(log_probs)).mean() < 0.01


@pytest.mark.parametrize("method", METHODS)
def test_a_fit_makes_overconfident_scores_likelier_on_other_notes(true_units, method):
    log_probs, gold = true_units(4000, seed=1)
    other, other_gold = true_units(4000, seed=2)
    calibration = fit(method, normalised(2.5 * log_probs), gold, LABELS)
    before = normalised(2.5 * other)
    assert likelihood(calibration.units(before), other_gold) > likelihood(before, other_gold) + 0.02
    assert abs(judged(sigmoid(identifier_log_odds(calibration.units(before))), other_gold > 0)["ece"]) < 0.03


def test_vector_scaling_mends_what_a_temperature_cannot(true_units):
    log_probs, gold = true_units(4000, seed=3)
    tilted = normalised(log_probs + np.array([0, 2, 0, 0, 0]))
    one, each = (fit(m, tilted, gold, LABELS).units(tilted) for m in ("temperature", "vector"))
    assert likelihood(each, gold) > likelihood(one, gold) + 0.02


def test_a_type_that_no_note_held_is_named_and_not_argued_away(true_units):
    log_probs, gold = true_units(3000, seed=4, drawn_from=(0, 1, 2))
    calibration = fit("vector", log_probs, gold, LABELS)
    assert calibration.unseen == ("B",)
    doubtful = np.log([[0.5, 0.02, 0.02, 0.44, 0.02]])
    assert np.exp(calibration.units(doubtful))[0, 3] > 0.3


@pytest.mark.parametrize("gold", [np.zeros(5, dtype=int), np.ones(5, dtype=int)])
def test_notes_without_identifiers_or_of_nothing_else_calibrate_nothing(true_units, gold):
    with pytest.raises(DataError, match="annotated"):
        fit("temperature", true_units(5)[0], gold, LABELS)


def test_span_confidence_becomes_the_share_that_is_right():
    rng = np.random.default_rng(0)
    confidence = sigmoid(rng.normal(4, 1.5, 3000))
    right = rng.random(3000) < sigmoid(0.5 * span_odds(confidence) - 0.5)
    calibration = with_spans(Calibration(), confidence, right, ["A"] * 3000)
    ((label, offset),) = calibration.span_types
    assert label == "A" and (calibration.span[0], calibration.span[1] + offset) == pytest.approx((0.5, -0.5), abs=0.25)
    assert judged(np.array([calibration.span_probability(c, "A") for c in confidence]), right)["ece"] < 0.02


def test_each_type_is_as_true_as_its_spans_tell_and_the_others_as_all_of_them():
    """A is right half the time and B nearly always, with the same confidence; of C there is one span, of D none."""
    rng = np.random.default_rng(1)
    labels = ["A"] * 400 + ["B"] * 400 + ["C"]
    right = np.append(rng.random(800) < np.repeat([0.5, 0.95], 400), False)
    calibration = with_spans(Calibration(), np.full(801, 0.9), right, labels)
    a, b, c, d = (calibration.span_probability(0.9, label) for label in "ABCD")
    assert (a, b) == pytest.approx((right[:400].mean(), right[400:800].mean()), abs=0.05)
    assert a + 0.1 < c < d < b, "one span says little"
    alike = with_spans(Calibration(), np.full(800, 0.9), right[:800], ["A", "B"] * 400)
    assert alike.span_probability(0.9, "A") == pytest.approx(alike.span_probability(0.9, "B"), abs=0.06)


def test_spans_that_are_all_right_stay_believable():
    sure = with_spans(Calibration(), np.full(200, 0.99), np.ones(200, dtype=bool), ["A"] * 200)
    assert 0.98 < sure.span_probability(0.99, "A") < 1
    assert with_spans(Calibration(), np.empty(0), np.empty(0, dtype=bool), []) == Calibration()


def test_where_confidence_says_nothing_spans_are_as_true_as_all_of_them():
    """Sure ones were wrong and doubtful ones right: the slope is none, and the intercept is fitted to that."""
    confidence, right = np.r_[np.full(40, 0.999), np.full(40, 0.6)], np.r_[np.ones(10), np.zeros(30), np.ones(40)] > 0
    slope, shift = with_spans(Calibration(), confidence, right, ["A"] * 80).span
    shift += dict(with_spans(Calibration(), confidence, right, ["A"] * 80).span_types)["A"]
    assert slope == 0 and sigmoid(np.array(shift)) == pytest.approx(right.mean(), abs=0.03)


def test_isotonic_scaling_gives_equal_scores_one_answer():
    from deidlab.calibration.fitting import isotonic

    knots = isotonic(np.zeros(4), np.array([False, False, True, True]))
    assert knots == ((0.0, 0.0),)
