"""From losses seen to a risk promised: what holds for patients to come, whatever their distribution.

Losses are between 0 and 1 and fall as the threshold falls; `losses` is (patients, thresholds), one row for each of n
exchangeable patients. Two promises:

- on average over calibrations and patients, the loss of the next patient is at most alpha (conformal risk control:
  Angelopoulos, Bates, Fisch, Lei and Schuster 2022, theorem 1);
- with confidence 1 - delta over calibrations, the mean loss of patients to come is at most alpha (risk-controlling
  prediction sets: Bates, Angelopoulos, Lei, Malik and Jordan 2021, with the betting bound of Waudby-Smith and Ramdas,
  their proposition 5).
"""

from __future__ import annotations

import math

import numpy as np

LEVELS = (0.9, 0.95, 0.99)  # the confidences that a curve keeps bounds for
HALVINGS = 22


def expected(mean: np.ndarray, patients: int) -> np.ndarray:
    """What is promised on average for the next patient, (thresholds,), from the mean loss of those seen."""
    return (patients * mean + 1) / (patients + 1)


def upper(losses: np.ndarray, level: float, seed: int = 0) -> np.ndarray:
    """Upper bounds of the mean loss at each threshold, (thresholds,), each with that confidence.

    A gambler bets on every patient, in an order drawn once, that the mean is below R; what could have made a fortune of
    more than 1 / delta is no mean to believe in, and the least such R is the bound.
    """
    delta, n = 1 - level, len(losses)
    if not n:
        return np.ones(losses.shape[1])
    losses = losses[np.random.default_rng(seed).permutation(n)]
    count = np.arange(1, n + 1)[:, None]
    mean = (0.5 + np.cumsum(losses, axis=0)) / (1 + count)
    spread = (0.25 + np.cumsum((losses - mean) ** 2, axis=0)) / (1 + count)
    before = np.concatenate([np.full((1, losses.shape[1]), 0.25), spread[:-1]])
    bet = np.minimum(1, np.sqrt(2 * math.log(1 / delta) / (n * before)))
    low, high = np.zeros(losses.shape[1]), np.ones(losses.shape[1])
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        fortune = np.cumsum(np.log1p(np.maximum(-bet * (losses - middle), -1 + 1e-12)), axis=0).max(axis=0)
        ruled_out = fortune > math.log(1 / delta)
        low, high = np.where(ruled_out, low, middle), np.where(ruled_out, middle, high)
    return high


def patients_needed(alpha: float, confidence: float | None = None) -> int:
    """The fewest patients with whom a promise of `alpha` is possible at all: with none of them missing anything."""
    n = math.ceil(1 / alpha - 1 - 1e-9)
    if confidence is None:
        return n
    n = max(n, math.ceil(math.log(1 / (1 - confidence)) / math.log1p(alpha)))
    while upper(np.zeros((n, 1)), confidence)[0] > alpha:  # the first bets are small: a few more than that
        n += 1
    return n
