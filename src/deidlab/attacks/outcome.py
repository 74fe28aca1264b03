"""What an attack, or a trial of that kind, has to say: rows of a report and figures of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deidlab.metrics.rows import Row


@dataclass(frozen=True)
class Outcome:
    """`rows` join those of `report.json`; `finding` is its `attack`: a `kind`, and numbers. Neither holds note text."""

    rows: Sequence[Row]
    finding: dict[str, Any]
