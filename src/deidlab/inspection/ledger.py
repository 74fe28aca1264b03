"""A ledger of losses that remembers where: faults of reading become findings with a place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

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
        found = Finding(reason, document_id, split=self.split, detail=message)
        if span is not None:
            found = replace(found, start=max(span.start, 0), end=max(span.end, 0), label=span.label)
        self.findings.append(found)

    def placed(self, reason: str, document_id: str, span: Span) -> None:
        self.counts[reason, span.label] += 1
        start, end = max(span.start, 0), max(span.end, 0)
        self.findings.append(Finding(reason, document_id, start, end, span.label, split=self.split))
