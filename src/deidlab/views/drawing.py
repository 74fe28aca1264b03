"""Which figures a report has: each is named by the section that shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deidlab.metrics.rows import Row
from deidlab.views import figures
from deidlab.views.elements import slug
from deidlab.views.figures import Series
from deidlab.views.rows import shown_slice, slice_names, typed

MOST_TYPES = 25  # in the figure of missed types; the table has all


def draw(content: Mapping[str, Any]) -> dict[str, str]:
    """SVG text of every figure of a report, by name; what has nothing to show is left out."""
    rows: Sequence[Row] = content["rows"]
    drawn: dict[str, str] = {}
    if strict := [row for row in typed(rows, "strict") if row["support"]]:
        names = [row["label"] for row in strict]
        series = [figures.of_rows("recall", strict, "recall"), figures.of_rows("precision", strict, "precision")]
        drawn["types"] = figures.dots(names, series, "strict", name="types")
    if leaks := typed(rows, "char_leak"):
        series = [figures.of_rows("leak", leaks, "value")]
        drawn["leaks"] = figures.dots(
            [row["label"] for row in leaks], series, "share of characters that stay readable", name="leaks"
        )
    if missed := [line for line in content.get("missed_types") or [] if line["missed"]][:MOST_TYPES]:
        series = [
            Series("share of the test set", [line["share"] for line in missed]),
            Series("share of the misses", [line["share_of_missed"] for line in missed]),
        ]
        drawn["missed"] = figures.bars([line["label"] for line in missed], series, "share", name="missed")
    if confusion := content.get("confusion"):
        drawn["confusion"] = confusion_figure(confusion["labels"], confusion["matrix"])
    for key, names in slice_names(rows).items():
        found = {r["slice"]: r for r in rows if r["metric"] == "strict" and r["label"] == "micro"}
        if key != "rare_name" and all(name in found for name in names):
            series = [figures.of_rows("F1", [found[name] for name in names], "f1")]
            name = f"slice-{slug(key)}"
            drawn[name] = figures.dots([shown_slice(n) for n in names], series, "strict F1", name=name)
    return drawn | fairness_figures(content.get("fairness") or [])


def confusion_figure(labels: Sequence[str], matrix: Sequence[Sequence[int]]) -> str:
    """Rows are coloured by their share, so that rare types are seen as well as frequent ones."""
    counts = np.array(matrix, float)
    with np.errstate(invalid="ignore"):
        shares = counts / counts.sum(axis=1, keepdims=True)
    texts = [[f"{int(count):,}" if count else "" for count in line] for line in counts]
    marked = [(i, i) for i in range(len(labels))]
    return figures.heat(
        [*labels, "spurious"], [*labels, "missed"], shares, texts,
        axes_names=("gold", "predicted"), marked=marked, name="confusion",
    )  # fmt: skip


def fairness_figures(lines: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Recall of every group with its interval, the reference group as a line."""
    drawn = {}
    for attribute, kind in dict.fromkeys((line["attribute"], line["types"]) for line in lines):
        mine = [r for r in lines if (r["attribute"], r["types"], r["metric"]) == (attribute, kind, "strict")]
        reference = next(r for r in mine if r["group"] == r["reference"])
        name = f"fairness-{attribute}-{kind}"
        about = "recall of names" if kind == "names" else "recall of all types"
        drawn[name] = figures.dots(
            [r["group"] for r in mine], [figures.of_rows("recall", mine, "recall")],
            f"{about} (strict); dashed: {reference['group']}", reference=reference["recall"], name=name,
        )  # fmt: skip
    return drawn


def history_figure(history: Sequence[Mapping[str, Any]]) -> str | None:
    """Validation F1 by step of training, None with fewer than two validations."""
    if len(history) < 2 or all(row["validation_strict_f1"] is None for row in history):
        return None
    series = [Series("validation", [row["validation_strict_f1"] for row in history])]
    return figures.lines([row["step"] for row in history], series, "step", "validation strict F1", name="history")
