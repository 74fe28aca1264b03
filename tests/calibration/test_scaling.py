"""Calibration: probabilities stay probabilities, and a fit brings back what was done to true ones."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.calibration.fitting import fit, with_spans
from deidlab.calibration.measures import judged, noise_floor, reliability
from deidlab.calibration.scaling import Calibration, identifier_log_odds, normalised, sigmoid, span_odds
from deidlab.labels import LabelSet
from deidlab.types import ConfigError, DataError

LABELS = LabelSet("two", ("A", "B"), "BIO")  # O, B-A, I-A, B-B, I-B
METHODS = ("temperature", "vector", "isotonic")


def true_units(n: int, seed: int = 0, drawn_from: tuple[int, ...] = (0, 1, 2, 3, 4)) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities and tags drawn from these very probabilities."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=2.0, size=(n, 5))
    logits[:, 0] += 2
    logits[:, [t for t in range(5) if t not in drawn_from]] -= 60
    log_probs = normalised(logits)
    gold = (np.exp(log_probs).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return log_probs, gold


def likelihood(log_probs: np.ndarray, gold: np.ndarray) -> float:
    return float(log_probs[np.arange(len(gold)), gold].mean())


def test_a_temperature_is_found_again():
    log_probs, gold = true_units(4000)
    sharpened = normalised(3 * log_probs)
    found = fit("temperature", sharpened, gold, LABELS)
    assert found.scale[0] == pytest.approx(1 / 3, rel=0.06)
    assert np.abs(np.exp(found.units(sharpened)) - np.exp(log_probs)).mean() < 0.01


@pytest.mark.parametrize("method", METHODS)
def test_a_fit_makes_overconfident_scores_likelier_on_other_notes(method):
    log_probs, gold = true_units(4000, seed=1)
    other, other_gold = true_units(4000, seed=2)
    calibration = fit(method, normalised(2.5 * log_probs), gold, LABELS)
    before = normalised(2.5 * other)
    assert likelihood(calibration.units(before), other_gold) > likelihood(before, other_gold) + 0.02
    assert abs(judged(sigmoid(identifier_log_odds(calibration.units(before))), other_gold > 0)["ece"]) < 0.03


def test_vector_scaling_mends_what_a_temperature_cannot():
    log_probs, gold = true_units(4000, seed=3)
    tilted = normalised(log_probs + np.array([0, 2, 0, 0, 0]))
    one, each = (fit(m, tilted, gold, LABELS).units(tilted) for m in ("temperature", "vector"))
    assert likelihood(each, gold) > likelihood(one, gold) + 0.02


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), sharp=st.floats(0.2, 20))
def test_calibrated_rows_sum_to_one_and_survive_json(method, seed, sharp):
    log_probs, gold = true_units(200, seed)
    calibration = fit(method, normalised(sharp * log_probs), gold, LABELS)
    again = Calibration.from_dict(json.loads(json.dumps(calibration.to_dict(), allow_nan=False)))
    assert again == calibration
    said = again.units(normalised(sharp * true_units(50, seed + 1)[0]))
    assert np.allclose(np.exp(said).sum(axis=1), 1)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999))
def test_isotonic_scaling_keeps_the_order_of_units(seed):
    log_probs, gold = true_units(150, seed)
    calibration = fit("isotonic", log_probs, gold, LABELS)
    other = true_units(80, seed + 1)[0]
    order = np.argsort(identifier_log_odds(other))
    assert (np.diff(identifier_log_odds(calibration.units(other))[order]) > -1e-9).all()


def test_a_type_that_no_note_held_is_named_and_not_argued_away():
    log_probs, gold = true_units(3000, seed=4, drawn_from=(0, 1, 2))
    calibration = fit("vector", log_probs, gold, LABELS)
    assert calibration.unseen == ("B",)
    doubtful = np.log([[0.5, 0.02, 0.02, 0.44, 0.02]])
    assert np.exp(calibration.units(doubtful))[0, 3] > 0.3


@pytest.mark.parametrize("gold", [np.zeros(5, dtype=int), np.ones(5, dtype=int)])
def test_notes_without_identifiers_or_of_nothing_else_calibrate_nothing(gold):
    with pytest.raises(DataError, match="annotated"):
        fit("temperature", true_units(5)[0], gold, LABELS)


@pytest.mark.parametrize("method", METHODS)
def test_what_a_model_rules_out_stays_a_number(method):
    calibration = fit(method, *true_units(300, seed=5), LABELS)
    with np.errstate(divide="ignore"):
        said = calibration.units(np.log([[0.5, 0.5, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0]]))
    assert np.isfinite(said).all() and np.exp(said).sum(axis=1) == pytest.approx(1)


def test_a_method_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="one of temperature, vector, isotonic"):
        Calibration("platt")  # type: ignore[arg-type]


def test_span_confidence_becomes_the_share_that_is_right():
    rng = np.random.default_rng(0)
    confidence = sigmoid(rng.normal(4, 1.5, 3000))
    right = rng.random(3000) < sigmoid(0.5 * span_odds(confidence) - 0.5)
    calibration = with_spans(Calibration(), confidence, right)
    assert calibration.span == pytest.approx((0.5, -0.5), abs=0.25)
    assert judged(np.array([calibration.span_probability(c) for c in confidence]), right)["ece"] < 0.02


def test_spans_that_are_all_right_stay_believable():
    sure = with_spans(Calibration(), np.full(200, 0.99), np.ones(200, dtype=bool))
    assert 0.98 < sure.span_probability(0.99) < 1
    assert with_spans(Calibration(), np.empty(0), np.empty(0, dtype=bool)) == Calibration()


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
