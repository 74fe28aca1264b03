"""Calibrated probabilities stay probabilities, keep their order where that is promised, and survive storage."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.calibration.fitting import fit, with_spans
from deidlab.calibration.scaling import Calibration, identifier_log_odds, log_sum, normalised
from deidlab.labels import LabelSet
from deidlab.types import ConfigError

LABELS = LabelSet("two", ("A", "B"), "BIO")  # O, B-A, I-A, B-B, I-B
METHODS = ("temperature", "vector", "isotonic")


def test_logarithms_of_sums_are_numpys_and_nothing_stays_nothing():
    rng = np.random.default_rng(0)
    values = rng.normal(scale=300, size=(50, 9))
    values[rng.random(values.shape) < 0.3] = -np.inf
    values[7] = -np.inf
    before = values.copy()
    for axis in (0, 1, -1):
        assert np.allclose(log_sum(values, axis), np.logaddexp.reduce(values, axis=axis), rtol=1e-12)
    assert log_sum(values, 1)[7] == -np.inf and (values == before).all()


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), sharp=st.floats(0.2, 20))
def test_calibrated_rows_sum_to_one_and_survive_json(true_units, method, seed, sharp):
    log_probs, gold = true_units(200, seed)
    calibration = fit(method, normalised(sharp * log_probs), gold, LABELS)
    calibration = with_spans(calibration, np.array([0.9, 0.8]), np.array([True, False]), ["A", "B"])
    again = Calibration.from_dict(json.loads(json.dumps(calibration.to_dict(), allow_nan=False)))
    assert again == calibration
    said = again.units(normalised(sharp * true_units(50, seed + 1)[0]))
    assert np.allclose(np.exp(said).sum(axis=1), 1)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999))
def test_isotonic_scaling_keeps_the_order_of_units(true_units, seed):
    log_probs, gold = true_units(150, seed)
    calibration = fit("isotonic", log_probs, gold, LABELS)
    other = true_units(80, seed + 1)[0]
    order = np.argsort(identifier_log_odds(other))
    assert (np.diff(identifier_log_odds(calibration.units(other))[order]) > -1e-9).all()


@pytest.mark.parametrize("method", METHODS)
def test_what_a_model_rules_out_stays_a_number(true_units, method):
    calibration = fit(method, *true_units(300, seed=5), LABELS)
    with np.errstate(divide="ignore"):
        said = calibration.units(np.log([[0.5, 0.5, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0]]))
    assert np.isfinite(said).all() and np.exp(said).sum(axis=1) == pytest.approx(1)


def test_what_an_earlier_version_has_stored_is_read():
    stored = Calibration("temperature", (0.8,), span=(0.7, -0.2)).to_dict()
    del stored["span_types"]
    assert Calibration.from_dict(stored) == Calibration("temperature", (0.8,), span=(0.7, -0.2))


def test_a_method_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="one of temperature, vector, isotonic"):
        Calibration("platt")  # type: ignore[arg-type]
