"""Counts as the rows of a report.

`micro` pools all items. `macro` is the mean over documents for the families of the i2b2 and MEDDOCAN scorers, as
those define it (a document's undefined ratio counts 0 there), and the mean over types for `seqeval`, as seqeval
defines it. Elsewhere a ratio of nothing is null.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from deidlab.metrics.counts import ALL, FOUND, GOLD, PREDICTED, RIGHT, Counts

# One line of `report.json`: metric, label, slice, support (int), and precision, recall and f1, or `value` for the leak
# measures (float or None); beside each its `<measure>_low` and `<measure>_high` where an interval is given.
Row = dict[str, Any]

Measure = Literal["precision", "recall", "f1", "value"]


def measures_of(metric: str) -> tuple[Measure, ...]:
    return ("value",) if metric in ("char_leak", "document_clean") else ("precision", "recall", "f1")


def rows(counts: Counts, metric: str, slice: str = "all", members: np.ndarray | None = None) -> list[Row]:
    """Rows of one metric: `micro`, `macro`, and every label that occurs.

    `members` are the documents of the slice (indices or mask). `support` counts gold items: spans, tokens,
    characters (`char_leak`) or documents with gold characters (`document_clean`).
    """
    group = np.zeros(counts.documents, np.int64)
    if members is not None:
        group = np.full(counts.documents, -1)
        group[members] = 0
    total = counts.dense(group, 1)[0]
    lines = values(metric, total, macro_sums(counts, group, 1)[0])
    names = ("micro", "macro", *counts.labels)
    supports = np.concatenate((total[[ALL, ALL], GOLD], total[1:, GOLD]))
    shown = np.concatenate(([True, "value" not in lines], total[1:, [GOLD, PREDICTED]].any(axis=1)))
    return [
        {"metric": metric, "label": name, "slice": slice}
        | {measure: number(line[i]) for measure, line in lines.items()}
        | {"support": int(supports[i])}
        for i, name in enumerate(names)
        if shown[i]
    ]


def number(value: float) -> float | None:
    """NaN, which JSON does not know, as null."""
    return None if np.isnan(value) else float(value)


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where whole is 0."""
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole != 0)


def f1_of(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """Harmonic mean; 0 where only one of the two is defined (nothing can match), NaN where neither is."""
    p, r = np.nan_to_num(precision), np.nan_to_num(recall)
    f1 = np.nan_to_num(ratio(2 * p * r, p + r))
    return np.where(np.isnan(precision) & np.isnan(recall), np.nan, f1)


def macro_sums(counts: Counts, group: np.ndarray, groups: int) -> np.ndarray:
    """(groups, 3) sums over documents of precision, recall (0 where undefined) and 1, whose ratios are the means."""
    in_all = counts.column == ALL
    values, document = counts.values[in_all], counts.document[in_all]
    where = group[document]
    kept = where >= 0
    sums = np.zeros((groups, 3))
    for i, (part, whole) in enumerate(((RIGHT, PREDICTED), (FOUND, GOLD))):
        sums[:, i] = np.bincount(where[kept], np.nan_to_num(ratio(values[:, part], values[:, whole]))[kept], groups)
    sums[:, 2] = np.bincount(group[group >= 0], minlength=groups)
    return sums


def values(metric: str, total: np.ndarray, macro: np.ndarray) -> dict[Measure, np.ndarray]:
    """The measures of micro, macro and every label, along the last axis (2 + labels).

    `total` is (..., columns, 4) counts and `macro` is (..., 3) sums as `macro_sums` gives them; leading axes are
    replicates.
    """
    recall = ratio(total[..., FOUND], total[..., GOLD])
    if measures_of(metric) == ("value",):
        value = 1 - recall if metric == "char_leak" else recall
        return {"value": _with_macro(value, np.full(value.shape[:-1], np.nan))}
    precision = ratio(total[..., RIGHT], total[..., PREDICTED])
    f1 = f1_of(precision, recall)
    if metric == "seqeval":
        occurs = (total[..., 1:, GOLD] + total[..., 1:, PREDICTED]) > 0
        types = occurs.sum(axis=-1)
        mean = [
            ratio(np.where(occurs, np.nan_to_num(v[..., 1:]), 0).sum(axis=-1), types) for v in (precision, recall, f1)
        ]
    else:
        mean = [ratio(macro[..., i], macro[..., 2]) for i in (0, 1)]
        # Undefined, not 0, if both are 0: the official scorer prints nan, and expects null.
        mean.append(ratio(2 * mean[0] * mean[1], mean[0] + mean[1]))
    lines = zip(measures_of(metric), (precision, recall, f1), mean, strict=True)
    return {measure: _with_macro(value, average) for measure, value, average in lines}


def _with_macro(value: np.ndarray, macro: np.ndarray) -> np.ndarray:
    return np.concatenate((value[..., :1], macro[..., None], value[..., 1:]), axis=-1)
