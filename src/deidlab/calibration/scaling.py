"""Probabilities that are true: a model's scores of units and spans, as notes with gold spans have shown them to be.

Calibration changes what is said of a unit or a span, never which spans are found. Decoding goes by the model's own
scores, so that no fit to a handful of notes can lose an identifier or spoil a guarantee made of other notes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np

from deidlab.types import ConfigError

Method = Literal["temperature", "vector", "isotonic"]
FLOOR = -200.0  # of log-probabilities: what a CRF rules out stays a number


@dataclass(frozen=True)
class Calibration:
    """What was learnt of a model's scores from notes that it was not trained on.

    `temperature`: log-probabilities times one `scale` (Guo et al. 2017). `vector`: each tag has a `scale` and a `bias`
    of its own. `isotonic`: the log-odds that a unit is an identifier follow `knots`, (from, to) in increasing order;
    among the types they stay as the model has them. `span` is the slope and intercept on the log-odds of a span's
    confidence that make it the probability that type and both ends are right, `span_types` what is added for the types
    that were found in calibration notes. `unseen` are the types that no calibration note held: they keep the common
    scale.
    """

    method: Method = "temperature"
    scale: tuple[float, ...] = (1.0,)
    bias: tuple[float, ...] = (0.0,)
    knots: tuple[tuple[float, float], ...] = ()
    span: tuple[float, float] = (1.0, 0.0)
    unseen: tuple[str, ...] = ()
    span_types: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise ConfigError(f"calibration method is {self.method!r}; expected one of {', '.join(get_args(Method))}")

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Calibration:
        """What `to_dict` gave, lists as tuples again."""
        # Earlier versions knew no `span_types`.
        pairs = {key: tuple((a, b) for a, b in stored.get(key, ())) for key in ("knots", "span_types")}
        lists = {key: tuple(stored[key]) for key in ("scale", "bias", "span", "unseen")}
        return cls(**{"method": stored["method"], **lists, **pairs})

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def units(self, log_probs: np.ndarray) -> np.ndarray:
        """Calibrated log-probabilities, (units, tags) from the model's own; each row sums to one again."""
        log_probs = np.maximum(log_probs, FLOOR)
        if self.method == "isotonic":
            return with_odds(log_probs, np.interp(identifier_log_odds(log_probs), *np.array(self.knots).T))
        return normalised(log_probs * np.array(self.scale) + np.array(self.bias))

    def span_probability(self, confidence: float, label: str) -> float:
        """Probability that a span of a type is right in type and ends, from the confidence that its units give it."""
        slope, intercept = self.span
        return float(sigmoid(slope * span_odds(confidence) + intercept + dict(self.span_types).get(label, 0.0)))


def log_sum(values: np.ndarray, axis: int) -> np.ndarray:
    """Logarithm of the sum of what `values` are logarithms of, along an axis; -inf stands for nothing.

    What `np.logaddexp.reduce` gives, ten times as fast: reading a note waits for it.
    """
    most = values.max(axis=axis, keepdims=True)
    most[~np.isfinite(most)] = 0.0  # of nothing but nothing: else it would be no number
    with np.errstate(divide="ignore"):
        return np.squeeze(np.log(np.exp(values - most).sum(axis=axis, keepdims=True)) + most, axis=axis)


def normalised(scores: np.ndarray) -> np.ndarray:
    """Log-probabilities from unnormalised ones, row by row."""
    return scores - log_sum(scores, -1)[..., None]


def identifier_log_odds(log_probs: np.ndarray) -> np.ndarray:
    """Log-odds that each unit is part of an identifier, whatever its type, (units,); tag 0 is O."""
    return log_sum(log_probs[:, 1:], 1) - log_probs[:, 0]


def with_odds(log_probs: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """Log-probabilities whose log-odds of an identifier are `odds`, shared among the types as before."""
    inside = normalised(log_probs[:, 1:]) - np.logaddexp(0, -odds)[:, None]
    return np.concatenate([-np.logaddexp(0, odds)[:, None], inside], axis=1)


def log_odds(probability: Any) -> Any:
    """Log-odds of probabilities; those of 0 and 1 are infinite."""
    with np.errstate(divide="ignore"):
        return np.log(probability) - np.log1p(-np.asarray(probability, dtype=np.float64))


def span_odds(confidence: Any) -> Any:
    """Log-odds of spans' confidence, kept finite."""
    return log_odds(np.clip(confidence, 1e-9, 1 - 1e-9))


def sigmoid(odds: Any) -> Any:
    """Probabilities of log-odds, without overflow."""
    return np.exp(-np.logaddexp(0, -np.asarray(odds, dtype=np.float64)))
