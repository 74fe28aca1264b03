"""Which gold and which predicted spans correspond: exact, with a tolerant end, by overlap.

Every function is vectorised over all documents at once: rows become integers that sort and compare.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from deidlab.metrics.tables import SpanTable

Columns = Sequence[np.ndarray]


def pack(first: Columns, second: Columns, *, room: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """One int64 per row of two tables: equal where all columns are equal, ordered as the columns are, first to last.

    Columns are non-negative; `room` is how much may be added to the last one without reaching into the next row.
    """
    widths = [
        int(max(a.max(initial=0), b.max(initial=0)) + room).bit_length() for a, b in zip(first, second, strict=True)
    ]
    if sum(widths) > 63:  # offsets of billions of characters: number the distinct leading columns first
        lead, rest = pack(first[:-1], second[:-1]), (first[-1], second[-1])
        rank = np.unique(np.concatenate(lead), return_inverse=True)[1]
        return pack((rank[: len(lead[0])], rest[0]), (rank[len(lead[0]) :], rest[1]), room=room)
    keys: list[np.ndarray] = []
    for columns in (first, second):
        key = np.zeros(len(columns[0]), np.int64)
        for column, width in zip(columns, widths, strict=True):
            key = (key << width) | column
        keys.append(key)
    return keys[0], keys[1]


def meet(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For two sorted arrays of keys, which of each stand in the other one too."""
    left, right = np.searchsorted(second, first, "left"), np.searchsorted(second, first, "right")
    # A key covers the stretch of its equals: mark where stretches begin and end.
    steps = np.bincount(left, minlength=len(second) + 1) - np.bincount(right, minlength=len(second) + 1)
    return left < right, np.cumsum(steps[:-1]) > 0


@dataclass(frozen=True, eq=False)
class Match:
    """Gold and predicted spans without repetitions, and which of them correspond to one on the other side.

    `found` is (gold spans,) bool, `right` is (predicted spans,) bool. No span corresponds to one of another type, so
    a part of the types is matched as the whole is.
    """

    gold: SpanTable
    predicted: SpanTable
    found: np.ndarray
    right: np.ndarray

    @property
    def sides(self) -> tuple[tuple[SpanTable, np.ndarray], tuple[SpanTable, np.ndarray]]:
        return (self.gold, self.found), (self.predicted, self.right)

    def only(self, types: Collection[str]) -> Match:
        """The spans whose type is among `types`."""
        g, p = self.gold.are(types), self.predicted.are(types)
        return Match(self.gold.where(g), self.predicted.where(p), self.found[g], self.right[p])


def exact(gold: SpanTable, predicted: SpanTable) -> Match:
    """Correspondence of spans with the same document, offsets and label; sorted by these."""
    keys = pack(*((t.document, t.start, t.end, t.label) for t in (gold, predicted)))
    (g, g_rows), (p, p_rows) = (np.unique(key, return_index=True) for key in keys)
    return Match(gold.where(g_rows), predicted.where(p_rows), *meet(g, p))


def tolerant(gold: SpanTable, predicted: SpanTable, distance: int) -> Match:
    """Correspondence of spans with the same document, start and label, and ends at most `distance` apart.

    That is no equivalence (8 is near 10 and 10 near 12, but not 8 near 12), so the order of the rows decides which of
    several near ones counts: a row is a repetition if one before it that counts is near.
    """
    # Ends are shifted so that `end - distance` stays non-negative.
    g, p = pack(*((t.document, t.start, t.label, t.end + distance) for t in (gold, predicted)), room=distance)
    g_rows, p_rows = _without_near(g, distance), _without_near(p, distance)
    g, p = g[g_rows], p[p_rows]
    return Match(gold.where(g_rows), predicted.where(p_rows), _near(g, p, distance), _near(p, g, distance))


def _without_near(key: np.ndarray, distance: int) -> np.ndarray:
    """Row numbers, sorted by key, of the rows that are no repetitions."""
    _, rows = np.unique(key, return_index=True)
    close = np.diff(key[rows]) <= distance
    if not close.any():
        return rows
    # Only chains of near rows need the order in which they came; they are rare and short.
    chain_of = np.concatenate(([0], np.cumsum(~close)))
    in_chain = np.flatnonzero(np.bincount(chain_of)[chain_of] > 1)
    repeated: list[int] = []
    for chain in np.split(rows[in_chain], np.flatnonzero(np.diff(chain_of[in_chain])) + 1):
        counted: list[int] = []
        for row in np.sort(chain).tolist():
            if any(abs(int(key[row]) - other) <= distance for other in counted):
                repeated.append(row)
            else:
                counted.append(int(key[row]))
    return rows[~np.isin(rows, repeated)]


def _near(keys: np.ndarray, others: np.ndarray, distance: int) -> np.ndarray:
    return np.searchsorted(others, keys - distance, "left") < np.searchsorted(others, keys + distance, "right")


def overlapped(spans: SpanTable, others: SpanTable) -> np.ndarray:
    """(spans,) bool: does another span of the same document and label share a character with it?

    Those are as many as begin before the span ends, less those that end before it begins.
    """
    real = others.where(others.end > others.start)
    columns = [(np.tile(t.document, 2), np.tile(t.label, 2), np.concatenate((t.start, t.end))) for t in (spans, real)]
    span_keys, other_keys = pack(*columns)
    start, end = np.split(span_keys, 2)
    other_start, other_end = (np.sort(half) for half in np.split(other_keys, 2))
    begun, over = np.searchsorted(other_start, end, "left"), np.searchsorted(other_end, start, "right")
    return (begun > over) & (spans.end > spans.start)
