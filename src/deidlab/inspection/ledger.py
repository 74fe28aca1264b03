"""A ledger of losses that remembers where: faults of reading become findings with a place."""

from __future__ import annotations

from dataclasses import dataclass, field

from deidlab.inspection.findings import Finding
from deidlab.types import Losses, OnError, Span


@dataclass
class PlacedLosses(Losses):
    """Counts every fault, and keeps it as a finding; the messages of readers name places and hold no text."""

    on_error: OnError = "count"
    findings: list[Finding] = field(default_factory=list)
    split: str = ""

    def fault(self, reason: str, label: str, message: str) -> None:
        self.counts[reason, label] += 1
        self.findings.append(Finding(reason, label="" if label == "-" else label, split=self.split, detail=message))

    def placed_fault(self, reason: str, document_id: str, span: Span | None, message: str) -> None:
        self.counts[reason, (span and span.label) or "-"] += 1
        place = (max(span.start, 0), max(span.end, 0), span.label) if span is not None else ()
        self.findings.append(Finding(reason, document_id, *place, split=self.split, detail=message))

    def placed(self, reason: str, document_id: str, span: Span) -> None:
        self.counts[reason, span.label] += 1
        place = (max(span.start, 0), max(span.end, 0), span.label)
        self.findings.append(Finding(reason, document_id, *place, split=self.split))
