"""The rows of a report as CSV: one line a metric, label and slice, with the bounds of every measure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from deidlab.metrics.rows import Row

MEASURES = ("precision", "recall", "f1", "value")
COLUMNS = (
    "metric", "label", "slice", *(f"{m}{end}" for m in MEASURES for end in ("", "_low", "_high")), "support",
)  # fmt: skip


def render(rows: Iterable[Row]) -> str:
    """CSV text; what a row lacks, or what is undefined, is an empty field."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if v is None else v for k, v in row.items()} for row in rows)
    return out.getvalue()
