"""Bootstrap intervals of every row, from counts alone: patients are drawn, not spans.

Notes of one patient resemble each other, and so do spans of one note; resampling the clusters keeps that. Every
measure is a ratio of sums over clusters, so that all replicates are one product of matrices, weights x counts
(percentile interval: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deidlab.metrics.counts import Counts
from deidlab.metrics.rows import Row, macro_sums, number, rows, values
from deidlab.types import ConfigError, DataError

BLOCK = 250  # replicates at a time: bounds the memory of a wide report


@dataclass(frozen=True, eq=False)
class Resamples:
    """Draws of clusters with replacement: how often each one was drawn in each replicate.

    `cluster` is (documents,) the cluster of each document; the same draws serve every metric and slice of a report, so
    that its rows move together. Deterministic in `seed`.
    """

    cluster: np.ndarray
    replicates: int = 1000
    seed: int = 0

    @classmethod
    def of(cls, keys: Sequence[str], replicates: int = 1000, seed: int = 0) -> Resamples:
        """Clusters from one key per document: its patient, or where that is unknown its own id."""
        return cls(np.unique(np.asarray(keys, dtype=str), return_inverse=True)[1], replicates, seed)

    def __post_init__(self) -> None:
        if self.replicates < 1:
            raise ConfigError(f"bootstrap replicates are {self.replicates}; expected 1 or more, usually 1000")

    @property
    def clusters(self) -> int:
        return int(self.cluster.max(initial=-1)) + 1

    @cached_property
    def weights(self) -> np.ndarray:
        """(replicates, clusters) uint16, each row summing to the number of clusters."""
        rng, n = np.random.default_rng(self.seed), self.clusters
        draws = (np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(self.replicates))
        return np.stack([np.minimum(draw, 65535).astype(np.uint16) for draw in draws])


def no_interval(resamples: Resamples, members: np.ndarray | None = None) -> str | None:
    """Why a report gives no interval, or None where it does: one cluster says nothing about another."""
    clusters = _clusters_of(resamples, members)
    if len(clusters) >= 2:
        return None
    return f"no interval: {len(clusters)} patient or document; at least 2 are needed"


def rows_with_intervals(
    counts: Counts,
    metric: str,
    resamples: Resamples,
    slice: str = "all",
    members: np.ndarray | None = None,
    level: float = 0.95,
) -> list[Row]:
    """`rows` with `<measure>_low` and `<measure>_high`, the percentile interval at `level` over clusters.

    A replicate in which a measure is undefined does not count for it; a measure that is null has no interval, and
    neither has anything if there are fewer than two clusters (`no_interval` says so).
    """
    if counts.documents != len(resamples.cluster):
        raise DataError(f"{counts.documents} documents were counted but {len(resamples.cluster)} are to be resampled")
    lines = rows(counts, metric, slice, members)
    clusters = _clusters_of(resamples, members)
    if len(clusters) < 2:
        return lines
    place = {name: i for i, name in enumerate(("micro", "macro", *counts.labels))}
    bounds = {
        measure: _quantiles(sample, level)
        for measure, sample in replicates(counts, metric, resamples, members, clusters).items()
    }
    for line in lines:
        for measure, (low, high) in bounds.items():
            if line[measure] is not None:
                line[f"{measure}_low"] = number(low[place[line["label"]]])
                line[f"{measure}_high"] = number(high[place[line["label"]]])
    return lines


def replicates(
    counts: Counts,
    metric: str,
    resamples: Resamples,
    members: np.ndarray | None = None,
    clusters: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """(replicates, 2 + labels) of each measure: micro, macro and every label; NaN where undefined."""
    clusters = _clusters_of(resamples, members) if clusters is None else clusters
    group = _groups(resamples, members, clusters)
    sums = ClusterSums.of(counts, group, len(clusters))
    blocks = []
    for first in range(0, resamples.replicates, BLOCK):
        weights = resamples.weights[first : first + BLOCK]
        blocks.append(values(metric, *sums.weighted(weights[:, clusters])))
    return {measure: np.concatenate([block[measure] for block in blocks]) for measure in blocks[0]}


@dataclass(frozen=True, eq=False)
class ClusterSums:
    """Counts and macro sums per cluster, in the shape that a product with weights wants.

    `counts` is (clusters, kept cells); `kept` says which of `shape` (columns x 4) these cells are; `macro` is
    (clusters, 3).
    """

    counts: np.ndarray
    kept: np.ndarray
    shape: tuple[int, int]
    macro: np.ndarray

    @classmethod
    def of(cls, counts: Counts, group: np.ndarray, groups: int) -> ClusterSums:
        dense = counts.dense(group, groups)
        flat = dense.reshape(groups, -1)
        kept = np.flatnonzero(flat.any(axis=0))
        return cls(flat[:, kept], kept, dense.shape[1:], macro_sums(counts, group, groups))

    def weighted(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(replicates, columns, 4) counts and (replicates, 3) macro sums under (replicates, clusters) weights.

        The counts are exact: single precision, twice as fast, is used only where it holds every sum of integers.
        """
        bound = np.abs(self.counts).sum(axis=0).max(initial=0) * max(1, int(np.abs(weights).max(initial=0)))
        kind = np.float32 if bound < 2**24 else np.float64
        total = np.zeros((len(weights), self.shape[0] * self.shape[1]))
        total[:, self.kept] = weights.astype(kind) @ self.counts.astype(kind)
        return total.reshape(-1, *self.shape), weights.astype(np.float64) @ self.macro


def _clusters_of(resamples: Resamples, members: np.ndarray | None) -> np.ndarray:
    """The clusters that hold a document of the slice, increasing."""
    return np.unique(resamples.cluster if members is None else resamples.cluster[members])


def _groups(resamples: Resamples, members: np.ndarray | None, clusters: np.ndarray) -> np.ndarray:
    """(documents,) place of each document's cluster among `clusters`, -1 outside of the slice."""
    place = np.searchsorted(clusters, resamples.cluster)
    if members is None:
        return place
    group = np.full(len(place), -1)
    group[members] = place[members]
    return group


def _quantiles(sample: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper percentile of every column, leaving out NaN."""
    tail = (1 - level) / 2
    bounds = np.full((2, sample.shape[1]), np.nan)
    undefined = np.isnan(sample)
    whole, part = ~undefined.any(axis=0), undefined.any(axis=0) & ~undefined.all(axis=0)
    bounds[:, whole] = np.quantile(sample[:, whole], [tail, 1 - tail], axis=0)
    for column in np.flatnonzero(part):
        bounds[:, column] = np.quantile(sample[~undefined[:, column], column], [tail, 1 - tail])
    return bounds[0], bounds[1]
