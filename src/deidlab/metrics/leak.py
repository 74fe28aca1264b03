"""What stays readable: gold characters that no predicted span covers, whatever its type.

A character of a gold span counts unless it is white space: a name predicted as two spans does not leak the blank
between, but every other character may matter (a password of punctuation). A name predicted as DATE is covered:
it will be redacted. Offsets are the only thing compared.
"""

from __future__ import annotations

import numpy as np

from deidlab.metrics.counts import ALL, FOUND, GOLD, Counts, Items, tally, together
from deidlab.metrics.tables import SpanTable, TextTable, running_total


def char_leak(gold: SpanTable, predicted: SpanTable, texts: TextTable) -> Counts:
    """Visible characters of gold spans, and of these the covered ones; the leak is the rest.

    A character in two gold spans counts once in all labels together and once in each of their labels.
    """
    gold_start, gold_end = texts.place(gold)
    covered = _cover(*texts.place(predicted), len(texts.codes))
    visible_before = running_total(~texts.space)
    covered_before = running_total(covered & ~texts.space)
    sides = []
    for column in (np.full(len(gold), ALL), 1 + gold.label):
        row, start, end = _union(column, gold_start, gold_end)
        size = visible_before[end] - visible_before[start]
        sides.append(Items(gold.document[row], column[row], size, covered_before[end] - covered_before[start]))
    return tally(gold.documents, gold.labels, together(*sides), pool=False)


def document_clean(leak: Counts) -> Counts:
    """Documents that hold gold characters, and of these the ones where none leaks; per label likewise."""
    has = leak.values[:, GOLD] > 0
    clean = has & (leak.values[:, FOUND] == leak.values[:, GOLD])
    values = np.zeros_like(leak.values)
    values[:, GOLD], values[:, FOUND] = has, clean
    return Counts(leak.documents, leak.labels, leak.document, leak.column, values)


def _cover(start: np.ndarray, end: np.ndarray, length: int) -> np.ndarray:
    """(length,) bool: is the character inside some span?"""
    steps = np.bincount(start, minlength=length + 1) - np.bincount(end, minlength=length + 1)
    return np.cumsum(steps[:-1]) > 0


def _union(column: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spans of one column cut so that they no longer overlap: row, start, end of each remainder.

    A span begins where the furthest end before it leaves off; it may end up empty.
    """
    order = np.lexsort((end, start, column))
    # Columns are laid end to end, so that a running maximum of the ends never reaches from one into the next.
    stride = int(end.max(initial=0)) + 1
    reach = np.maximum.accumulate(column[order] * stride + end[order])
    before = np.append(0, reach[:-1])[: len(order)] - column[order] * stride
    begin = np.minimum(np.maximum(start[order], before), end[order])
    return order, begin, end[order]
