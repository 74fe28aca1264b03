"""Sources of uncertainty: each gives a number per unit, the larger the less certain, and all are judged alike.

`probs` is (units, 1 + types): the probability of no type and of each, whatever the place in a span, so that models with
different schemes can be put together. Several scorings of one note are (scorings, units, 1 + types).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deidlab.decoding import roles, type_log_probabilities
from deidlab.labels import LabelSet

SHARES = (0.01, 0.05, 0.1)  # of the queue, that a person may have time for


def type_probs(log_probs: np.ndarray, labels: LabelSet) -> np.ndarray:
    """Probabilities of no type and of each, (units, 1 + types), from those of tags."""
    return np.exp(np.concatenate([log_probs[:, :1], type_log_probabilities(log_probs, roles(labels))], axis=1))


def least_confident(probs: np.ndarray) -> np.ndarray:
    """One minus the probability of the likeliest type (softmax)."""
    return 1 - probs.max(axis=-1)


def entropy(probs: np.ndarray) -> np.ndarray:
    """Shannon entropy in nats."""
    return -(probs * np.log(np.maximum(probs, 1e-300))).sum(axis=-1)


def margin(probs: np.ndarray) -> np.ndarray:
    """One minus the lead of the likeliest type over the next."""
    second, first = np.sort(probs, axis=-1)[..., -2:].T
    return (1 - (first - second)).T


def doubt(probs: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Probability that it is wrong to cover a unit, or to leave it; `inside` (units,) bool is what decoding did."""
    return np.where(inside, probs[..., 0], 1 - probs[..., 0])


def mutual_information(scorings: np.ndarray) -> np.ndarray:
    """What the scorings disagree about: entropy of their mean less their mean entropy (Houlsby et al. 2011)."""
    return np.maximum(entropy(scorings.mean(axis=0)) - entropy(scorings).mean(axis=0), 0)


def disagreement(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Total variation between two scorings of a unit, as in two windows."""
    return np.abs(one - other).sum(axis=-1) / 2


def contradiction(probs: np.ndarray, inside: np.ndarray, elsewhere: np.ndarray) -> np.ndarray:
    """First the units on which another system (rules) decides otherwise, and among equals the more doubtful."""
    return (inside != elsewhere) + doubt(probs, inside)


@dataclass(frozen=True)
class Outcome:
    """What became of units: is their type `wrong`, how many visible gold characters are `missed`; (units,) each."""

    wrong: np.ndarray
    missed: np.ndarray


def risk_coverage(uncertainty: np.ndarray, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of units kept, most certain first, and the share of these that are wrong; (units,) each."""
    kept = np.arange(1, len(wrong) + 1)
    return kept / max(len(kept), 1), np.cumsum(ranked(uncertainty, wrong)) / kept


def ranked(values: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """The amounts of units by increasing value; units of one value are in no order: each has the mean of them all."""
    order = np.argsort(values, kind="stable")
    _, group = np.unique(values[order], return_inverse=True)
    return (np.bincount(group, amounts[order]) / np.bincount(group))[group]


def found_at_the_top(uncertainty: np.ndarray, missed: np.ndarray, share: float) -> float | None:
    """Share of the missed characters that stand in the top `share` of the queue; ties count for their part."""
    if not missed.sum():
        return None
    return float(at_the_top(uncertainty, share) @ missed / missed.sum())


def at_the_top(uncertainty: np.ndarray, share: float) -> np.ndarray:
    """How much of each unit stands in the top `share` of the queue, (units,); those of one value share its places."""
    order = np.argsort(-uncertainty, kind="stable")
    places = np.zeros(len(order))
    places[: round(share * len(order))] = 1
    found = np.empty(len(order))
    found[order] = ranked(np.sort(-uncertainty), places)
    return found


def judge(uncertainty: np.ndarray, outcome: Outcome) -> dict[str, Any]:
    """The area under the risk-coverage curve, and the missed characters found at the top of the queue, as JSON."""
    _, risk = risk_coverage(uncertainty, outcome.wrong)
    top = {f"top_{share:g}": found_at_the_top(uncertainty, outcome.missed, share) for share in SHARES}
    return {"aurc": float(risk.mean()), **top}
