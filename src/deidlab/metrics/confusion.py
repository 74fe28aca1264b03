"""Which types are taken for which: gold types against predicted ones, by best overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deidlab.metrics.matching import exact
from deidlab.metrics.tables import SpanTable
from deidlab.metrics.tokens import expand


@dataclass(frozen=True, eq=False)
class Confusion:
    """`matrix` is (labels + 1, labels + 1) int64: rows gold types, columns predicted ones.

    The last column counts gold spans that nothing overlaps (missed), the last row predicted spans that overlap no gold
    span (spurious).
    """

    labels: tuple[str, ...]
    matrix: np.ndarray

    def __add__(self, other: Confusion) -> Confusion:
        """The confusion of two chunks of a corpus."""
        return Confusion(self.labels, self.matrix + other.matrix)


def confusion(gold: SpanTable, predicted: SpanTable) -> Confusion:
    """Count each gold span under the type of the predicted span that shares most characters with it.

    Of several, the one of the same type wins, then the first. A predicted span is spurious only if it touches no gold
    span; one that touches a gold span but is not its best match is not counted. Repetitions count once.
    """
    match = exact(gold, predicted)
    g, p = match.gold, match.predicted
    row, column, shared = _overlaps(g, p)
    same = g.label[row] == p.label[column]
    order = np.lexsort((column, ~same, -shared, row))
    best = order[np.unique(row[order], return_index=True)[1]]
    missed = len(g.labels)
    taken_for = np.full(len(g), missed)
    taken_for[row[best]] = p.label[column[best]]
    matrix = np.zeros((missed + 1, missed + 1), np.int64)
    np.add.at(matrix, (g.label, taken_for), 1)
    touching = np.zeros(len(p), bool)
    touching[column] = True
    matrix[missed, :missed] = np.bincount(p.label[~touching], minlength=missed)
    return Confusion(g.labels, matrix)


def _overlaps(g: SpanTable, p: SpanTable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs of a row of `g` and a row of `p` that share characters, and how many they share."""
    stride = int(max(g.end.max(initial=0), p.end.max(initial=0))) + 1  # lays documents end to end
    g_start, g_end = g.document * stride + g.start, g.document * stride + g.end
    order = np.lexsort((p.end, p.start, p.document))
    p_start, p_end = (p.document * stride + p.start)[order], (p.document * stride + p.end)[order]
    # Candidates begin before the gold span ends, and come after all that ends before it begins.
    reach = np.maximum.accumulate(p_end)
    first = np.searchsorted(reach, g_start, "right")
    count = np.maximum(np.searchsorted(p_start, g_end, "left") - first, 0)
    row, candidate = expand(first, count)
    shared = np.minimum(g_end[row], p_end[candidate]) - np.maximum(g_start[row], p_start[candidate])
    kept = shared > 0
    return row[kept], order[candidate[kept]], shared[kept]
