"""Counts per document and label, from which every table is derived without matching anything again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from deidlab.types import ConfigError

# What is counted, the last axis of every array of counts.
GOLD, FOUND, PREDICTED, RIGHT = range(4)
ALL = 0  # the column of all labels together; label i has column 1 + i


class Items(NamedTuple):
    """Things counted on one side, gold or predicted: each in a document and a column, of a size, some of it matched."""

    document: np.ndarray
    column: np.ndarray
    size: np.ndarray
    matched: np.ndarray


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts of one metric: gold items, those found, predicted items, those right; per document and label.

    Stored as the cells that are not zero: `document` and `column` are (cells,), `values` is (cells, 4) int64 in the
    order GOLD, FOUND, PREDICTED, RIGHT. Column 0 counts all labels together, which is not always the sum of the labels
    (two spans of different types at one place are one binary span); column 1 + i counts `labels[i]`.
    """

    documents: int
    labels: tuple[str, ...]
    document: np.ndarray
    column: np.ndarray
    values: np.ndarray

    @property
    def columns(self) -> int:
        return 1 + len(self.labels)

    def dense(self, group: np.ndarray | None = None, groups: int | None = None) -> np.ndarray:
        """(groups, columns, 4) int64 sums over the documents of each group, by default over every document by itself.

        `group` is (documents,) int, the group each document belongs to, or -1 for none.
        """
        group = np.arange(self.documents) if group is None else np.asarray(group)
        groups = (int(group.max(initial=-1)) + 1) if groups is None else groups
        where = group[self.document]
        kept = where >= 0
        cell = where[kept] * self.columns + self.column[kept]
        out = np.empty((groups * self.columns, 4), np.int64)
        for kind in range(4):
            out[:, kind] = np.bincount(cell, self.values[kept, kind], len(out))
        return out.reshape(groups, self.columns, 4)

    def total(self) -> np.ndarray:
        """(columns, 4) int64 sums over all documents."""
        return self.dense(np.zeros(self.documents, np.int64), 1)[0]


def by_label(document: np.ndarray, label: np.ndarray, matched: np.ndarray) -> Items:
    """Items of size one, each counted under its label."""
    return Items(document, 1 + label, np.ones(len(label), np.int64), matched)


def together(*parts: Items) -> Items:
    return Items(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def tally(
    documents: int, labels: Sequence[str], gold: Items, predicted: Items | None = None, *, pool: bool = True
) -> Counts:
    """Add up the items of every cell.

    With `pool`, all labels together are the sum of the labels; otherwise they are items of their own. Without
    `predicted` only gold and found are counted (leaks).
    """
    columns = 1 + len(labels)
    cells = np.zeros((documents * columns, 4), np.int64)
    for items, size, part in ((gold, GOLD, FOUND), (predicted, PREDICTED, RIGHT)):
        if items is not None:
            cell = items.document * columns + items.column
            cells[:, size] = np.bincount(cell, items.size, len(cells))
            cells[:, part] = np.bincount(cell, items.matched, len(cells))
    if pool:
        by_document = cells.reshape(documents, columns, 4)
        by_document[:, ALL] = by_document[:, 1:].sum(axis=1)
    kept = np.flatnonzero(cells.any(axis=1))
    return Counts(documents, tuple(labels), kept // columns, kept % columns, cells[kept])


def concatenate(chunks: Iterable[Counts]) -> Counts:
    """The counts of consecutive chunks of a corpus as those of the whole."""
    chunks = list(chunks)
    if not chunks:
        raise ConfigError("no counts to concatenate; an empty corpus has no metrics")
    if len({chunk.labels for chunk in chunks}) > 1:
        raise ConfigError("counts over different label sets do not concatenate")
    before = np.cumsum([0, *(chunk.documents for chunk in chunks)])
    return Counts(
        int(before[-1]),
        chunks[0].labels,
        np.concatenate([chunk.document + n for chunk, n in zip(chunks, before[:-1], strict=True)]),
        np.concatenate([chunk.column for chunk in chunks]),
        np.concatenate([chunk.values for chunk in chunks]),
    )
