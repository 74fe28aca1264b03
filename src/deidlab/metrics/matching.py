"""Which gold and which predicted spans correspond: exact, with a tolerant end, by overlap.

Every function is vectorised over all documents at once: rows become integers that sort and compare.
"""

from __future__ import annotations

from collections.abc import Sequence

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


def first_of_each(keys: np.ndarray) -> np.ndarray:
    """Row numbers, increasing, of the first occurrence of every key."""
    return np.sort(np.unique(keys, return_index=True)[1])


def among(keys: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(keys,) bool: is the key one of the others?"""
    others = np.sort(others)
    if not len(others):
        return np.zeros(len(keys), bool)
    return others[np.minimum(np.searchsorted(others, keys), len(others) - 1)] == keys


def distinct(gold: SpanTable, predicted: SpanTable) -> tuple[SpanTable, SpanTable, np.ndarray, np.ndarray]:
    """Both tables without repetitions, and per row whether the other one holds it too (document, offsets, label)."""
    keys = pack(*((t.document, t.start, t.end, t.label) for t in (gold, predicted)))
    kept = [first_of_each(key) for key in keys]
    g, p = (key[rows] for key, rows in zip(keys, kept, strict=True))
    return gold.where(kept[0]), predicted.where(kept[1]), among(g, p), among(p, g)


def tolerant(
    gold: SpanTable, predicted: SpanTable, distance: int
) -> tuple[SpanTable, SpanTable, np.ndarray, np.ndarray]:
    """As `distinct`, but two rows are also the same if their ends are at most `distance` apart.

    That is no equivalence (8 is near 10 and 10 near 12, but not 8 near 12), so the order of the rows decides which of
    several near ones stays: a row goes if one that stays is near.
    """
    # Ends are shifted so that `end - distance` stays non-negative.
    columns = [(t.document, t.start, t.label, t.end + distance) for t in (gold, predicted)]
    tables: list[SpanTable] = []
    keys: list[np.ndarray] = []
    for table, key in zip((gold, predicted), pack(*columns, room=distance), strict=True):
        kept = _without_near(key, table, distance)
        tables.append(table.where(kept))
        keys.append(key[kept])
    found, right = _near(keys[0], keys[1], distance), _near(keys[1], keys[0], distance)
    return tables[0], tables[1], found, right


def _without_near(key: np.ndarray, table: SpanTable, distance: int) -> np.ndarray:
    rows = first_of_each(key)
    by_key = rows[np.argsort(key[rows])]
    close = np.diff(key[by_key]) <= distance
    if not close.any():
        return rows
    # Only chains of near rows need the order in which they came; they are rare and short.
    dropped: list[int] = []
    chain_of = np.concatenate(([0], np.cumsum(~close)))
    in_chain = np.flatnonzero(np.bincount(chain_of)[chain_of] > 1)
    borders = np.flatnonzero(np.diff(chain_of[in_chain])) + 1
    for chain in np.split(by_key[in_chain], borders):
        staying: list[int] = []
        for row in np.sort(chain):
            near = any(abs(int(key[row]) - other) <= distance for other in staying)
            (dropped if near else staying).append(int(row) if near else int(key[row]))
    return np.setdiff1d(rows, dropped)


def _near(keys: np.ndarray, others: np.ndarray, distance: int) -> np.ndarray:
    others = np.sort(others)
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
