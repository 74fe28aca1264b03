"""Does the promise hold? Patients are divided again and again: some calibrate, the others are judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deidlab.conformal.bounds import expected, patients_needed, upper


@dataclass(frozen=True)
class Promise:
    """What is asked for: a mean loss of at most `alpha`, on average (None) or with `confidence`."""

    alpha: float
    confidence: float | None = None

    def place(self, losses: np.ndarray) -> int | None:
        """The first threshold that keeps the promise after the losses of some patients, (patients, thresholds).

        None where they are too few for it.
        """
        if len(losses) < patients_needed(self.alpha, self.confidence):
            return None
        if self.confidence is None:
            promised = expected(losses.mean(axis=0), len(losses))
        else:
            promised = np.maximum.accumulate(upper(losses, self.confidence)[::-1])[::-1]
        good = np.flatnonzero(promised <= self.alpha + 1e-12)
        return int(good[0]) if len(good) else None


def divided(losses: np.ndarray, promise: Promise, patients: int, repeats: int = 200, seed: int = 0) -> dict[str, Any]:
    """Calibrate on `patients` drawn anew each time, and judge on all others.

    Says in how many of the `repeats` a promise was made, the mean over these of the mean loss of the others, the share
    of them in which it was at most alpha, and the place of the median threshold.
    """
    rng = np.random.default_rng(seed)
    risks, places = [], []
    for _ in range(repeats):
        drawn = rng.permutation(len(losses))
        place = promise.place(losses[drawn[:patients]])
        if place is not None:
            places.append(place)
            risks.append(float(losses[drawn[patients:], place].mean()))
    told = {"promised": len(risks), "repeats": repeats, "needed": patients_needed(promise.alpha, promise.confidence)}
    if not risks:
        return told
    return told | {
        "risk_seen": float(np.mean(risks)),
        "held": float(np.mean(np.array(risks) <= promise.alpha)),
        "place": int(np.median(places)),
    }
