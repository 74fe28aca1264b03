"""Do two systems differ on the same notes? Paired tests over clusters (patients), from counts alone.

The permutation test asks how often a difference as large arises if, patient by patient, it is a coin's toss which
system gave which answer; the bootstrap asks how the difference varies over samples of patients.
Sources: Noreen, Computer-Intensive Methods for Testing Hypotheses, 1989 (approximate randomisation); Efron and
Tibshirani, An Introduction to the Bootstrap, 1993.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from deidlab.metrics.counts import Counts
from deidlab.metrics.intervals import BLOCK, ClusterSums, Resamples, replicates
from deidlab.metrics.rows import Measure, macro_sums, number, values
from deidlab.types import DataError

Test = Literal["permutation", "bootstrap"]


@dataclass(frozen=True)
class Comparison:
    """The difference `second - first` in one measure, its p-value (two-sided) and, by bootstrap, its interval."""

    metric: str
    label: str
    measure: Measure
    first: float | None
    second: float | None
    difference: float | None
    p_value: float | None
    low: float | None = None
    high: float | None = None


def compare(
    first: Counts,
    second: Counts,
    metric: str,
    measure: Measure,
    resamples: Resamples,
    label: str = "micro",
    test: Test = "permutation",
    level: float = 0.95,
) -> Comparison:
    """Test one measure of two systems, whose counts are over the same documents in the same order.

    `label` is `micro`, `macro` or a label. With fewer than two clusters, or where the measure is undefined for a
    system, there is no p-value (None). Raises `DataError` if the documents or labels of the two differ.
    """
    return compare_labels(first, second, metric, measure, resamples, (label,), test, level)[0]


def compare_labels(
    first: Counts,
    second: Counts,
    metric: str,
    measure: Measure,
    resamples: Resamples,
    labels: Sequence[str],
    test: Test = "permutation",
    level: float = 0.95,
) -> list[Comparison]:
    """`compare` for several labels at the price of one: the same rearrangements serve all of them."""
    if first.documents != second.documents or first.labels != second.labels:
        raise DataError(
            f"two systems must be compared on the same notes and labels; these have {first.documents} and "
            f"{second.documents} documents, {len(first.labels)} and {len(second.labels)} labels"
        )
    observed = [_observed(counts, metric)[measure] for counts in (first, second)]
    difference = observed[1] - observed[0]
    tested = resamples.clusters >= 2
    match test:
        case "permutation":
            sample = _permuted(first, second, metric, measure, resamples) if tested else None
        case "bootstrap":
            drawn = [replicates(counts, metric, resamples)[measure] for counts in (first, second)] if tested else None
            sample = drawn[1] - drawn[0] if drawn else None
    found = []
    for label in labels:
        place = ("micro", "macro", *first.labels).index(label)
        p_value, low, high = None, None, None
        if sample is not None and not np.isnan(difference[place]):
            column = sample[:, place]
            if test == "permutation":
                p_value = p_of_permutation(column, difference[place])
            else:
                column = column[~np.isnan(column)]
                if len(column):  # else no draw has anything of this label
                    p_value = p_of_bootstrap(column)
                    low, high = (float(q) for q in np.quantile(column, [(1 - level) / 2, (1 + level) / 2]))
        one, other, apart = (number(v[place]) for v in (*observed, difference))
        found.append(Comparison(metric, label, measure, one, other, apart, p_value, low, high))
    return found


def p_of_permutation(null: np.ndarray, observed: float) -> float:
    """Share of differences at least as large as the observed one, which counts as one of them."""
    # A hair's breadth of tolerance: the observed arrangement, met again, may differ in its last bit.
    extreme = np.abs(null) >= abs(observed) - 1e-12
    return float((1 + extreme.sum()) / (1 + len(null)))


def p_of_bootstrap(drawn: np.ndarray) -> float:
    """Twice the smaller share of replicates on the other side of zero."""
    sides = (1 + (drawn <= 0).sum(), 1 + (drawn >= 0).sum())
    return float(min(1.0, 2 * min(sides) / (1 + len(drawn))))


def _observed(counts: Counts, metric: str) -> dict[Measure, np.ndarray]:
    return values(metric, counts.total(), macro_sums(counts, np.zeros(counts.documents, np.int64), 1)[0])


def _permuted(first: Counts, second: Counts, metric: str, measure: Measure, resamples: Resamples) -> np.ndarray:
    """(replicates, 2 + labels) differences after swapping the two systems in a random half of the clusters."""
    rng, n = np.random.default_rng(resamples.seed), resamples.clusters
    sums = [ClusterSums.of(counts, resamples.cluster, n) for counts in (first, second)]
    out = []
    for start in range(0, resamples.replicates, BLOCK):
        swapped = rng.integers(2, size=(min(BLOCK, resamples.replicates - start), n), dtype=np.uint8)
        scores = []
        for own, other in (sums, sums[::-1]):
            kept, taken = own.weighted(1 - swapped), other.weighted(swapped)
            scores.append(values(metric, kept[0] + taken[0], kept[1] + taken[1])[measure])
        out.append(scores[1] - scores[0])
    null = np.concatenate(out)
    # Where a measure is undefined for one arrangement, it supports no difference.
    return np.nan_to_num(null)
