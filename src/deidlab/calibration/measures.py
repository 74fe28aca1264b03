"""How true probabilities are: expected calibration error over bins of equal mass, Brier score, reliability bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

BINS = 15


@dataclass(frozen=True)
class Reliability:
    """Bins of equal mass in order of confidence: how many, how sure on average, how often right; (bins,) each."""

    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def ece(self) -> float:
        """Expected calibration error: the mean gap between confidence and accuracy (adaptive bins: Nguyen and O'Connor
        2015)."""
        gaps = np.abs(self.confidence - self.accuracy)
        return float((self.count * gaps).sum() / max(self.count.sum(), 1))


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> Reliability:
    """Bins of (n,) confidences in 0..1 and of whether each was right; fewer bins where there are fewer than them."""
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, max(1, min(bins, len(order)))) if len(part)]
    means = [(len(part), confidence[part].mean(), right[part].mean()) for part in parts]
    count, sure, true = (
        np.array(column, dtype=np.float64) for column in (zip(*means, strict=True) if means else [()] * 3)
    )
    return Reliability(count, sure, true)


def brier(confidence: np.ndarray, right: np.ndarray) -> float | None:
    """Mean square of what was claimed minus what was true; None of nothing."""
    return float(((confidence - right) ** 2).mean()) if len(right) else None


def noise_floor(confidence: np.ndarray, draws: int = 100, seed: int = 0) -> float | None:
    """The ECE that perfectly true probabilities would show here by chance; None of nothing."""
    if not len(confidence):
        return None
    rng = np.random.default_rng(seed)
    drawn = (reliability(confidence, rng.random(len(confidence)) < confidence).ece for _ in range(draws))
    return float(np.mean(list(drawn)))


def judged(confidence: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """Everything that is said of some confidences, as JSON; null where there is nothing to judge."""
    bins = reliability(confidence, right)
    n = len(right)
    return {
        "n": n,
        "confidence": float(confidence.mean()) if n else None,
        "accuracy": float(right.mean()) if n else None,
        "ece": bins.ece if n else None,
        "brier": brier(confidence, right),
        "bins": {name: values.tolist() for name, values in vars(bins).items()},
    }
