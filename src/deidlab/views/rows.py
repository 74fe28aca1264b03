"""Rows of a report as cells of a table, and which rows a table shows."""

from __future__ import annotations

import re
from collections.abc import Iterable

from deidlab.metrics.rows import Row
from deidlab.views.elements import Cell, Estimate

PARTS = re.compile(r", (?=[^,=]+=)")  # between the parts of a crossing; a value may hold a comma of its own


def estimate(row: Row, measure: str, digits: int = 4) -> Estimate:
    return Estimate(row[measure], row.get(f"{measure}_low"), row.get(f"{measure}_high"), digits=digits)


def cells(row: Row, digits: int = 4) -> tuple[Cell, ...]:
    """Precision, recall, F1 (or the one value in their place) and support."""
    if "value" in row:
        return (None, None, estimate(row, "value", digits), row["support"])
    return (*(estimate(row, measure, digits) for measure in ("precision", "recall", "f1")), row["support"])


def overall(rows: Iterable[Row], label: str = "micro") -> list[Row]:
    return [row for row in rows if row["label"] == label and row["slice"] == "all"]


def typed(rows: Iterable[Row], metric: str, slice: str = "all") -> list[Row]:
    """The rows of single labels of a metric."""
    return [r for r in rows if r["metric"] == metric and r["slice"] == slice and r["label"] not in ("micro", "macro")]


def slice_names(rows: Iterable[Row]) -> dict[str, list[str]]:
    """The slices of each key or crossing (`culture x gender`), in the order of the rows."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        if (name := row["slice"]) != "all":
            key = " x ".join(part.split("=", 1)[0] for part in PARTS.split(name))
            found.setdefault(key, {})[name] = None
    return {key: list(names) for key, names in found.items()}


def shown_slice(name: str) -> str:
    """The values of a slice without their keys."""
    return ", ".join(part.split("=", 1)[-1] for part in PARTS.split(name))
