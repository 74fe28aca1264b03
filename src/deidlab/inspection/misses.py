"""Identifiers that annotators may have missed: what a system finds where nothing is annotated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from deidlab.inspection.findings import Finding
from deidlab.types import Document

if TYPE_CHECKING:
    from deidlab.evaluation import System


def likely_missed(documents: Sequence[Document], system: System, least_score: float = 0.5) -> Iterator[Finding]:
    """Spans of a system that touch no annotation; those with a score below `least_score` are left out."""
    for document, prediction in zip(documents, system.predict(documents), strict=True):
        for span in prediction.spans:
            sure = span.score is None or span.score >= least_score
            if sure and not any(span.start < gold.end and gold.start < span.end for gold in document.spans):
                said = f"{system.name} finds it" + ("" if span.score is None else f", score {span.score:.2f}")
                yield Finding("likely_missed", document.id, span.start, span.end, span.label, detail=said)
