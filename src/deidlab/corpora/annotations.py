"""Spans as a file states them, and the checks that make them spans of a document."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from deidlab.types import Losses, Span

_WHITESPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Annotation:
    """A span as a file states it: nothing about it is known to be true yet.

    `covered` is the text it claims to cover, where the format says so; `place` is where it stands in the file.
    """

    start: int
    end: int
    label: str
    covered: str | None = field(default=None, repr=False)
    place: str = ""
    score: float | None = None

    def agrees(self, text: str) -> bool:
        """Whether the offsets point at the covered text.

        Line breaks and runs of blanks count as one blank: XML attributes and brat's files cannot tell them apart.
        """
        if not 0 <= self.start < self.end <= len(text):
            return False
        found = text[self.start : self.end]
        return self.covered in (None, found) or _blanked(self.covered) == _blanked(found)


def _blanked(text: str) -> str:
    return _WHITESPACE.sub(" ", text)


def checked_spans(document_id: str, text: str, annotations: Iterable[Annotation], losses: Losses) -> tuple[Span, ...]:
    """The annotations that hold, sorted; one reversed, empty, out of range, doubled or at odds with it is faulty.

    Overlapping spans are legitimate annotation and stay. Raises `DataError` unless faults are counted.
    """
    spans: dict[Span, None] = {}
    for annotation in annotations:
        span = Span(annotation.start, annotation.end, annotation.label, annotation.score)
        if (fault := _fault(span, text, annotation, span in spans)) is None:
            spans[span] = None
        else:
            reason, said = fault
            place = f", {annotation.place}" if annotation.place else ""
            where = f"{document_id}{place}: {span.label or 'unlabelled'} span {span.start}-{span.end}"
            losses.placed_fault(reason, document_id, span, f"{where} {said}")
    return tuple(sorted(spans))


def _fault(span: Span, text: str, annotation: Annotation, doubled: bool) -> tuple[str, str] | None:
    """What is wrong with a span: its name, and the rest of the sentence."""
    if not span.label:
        return "no_label", "has no label; give it one or remove it"
    if span.end < span.start:
        return "reversed_span", "ends before it starts; swap its offsets"
    if span.end == span.start:
        return "empty_span", "is empty; remove it"
    if span.start < 0 or span.end > len(text):
        return "out_of_range", f"exceeds text length {len(text)}; was it re-encoded?"
    if not annotation.agrees(text):
        return "offset_mismatch", "points at other text than it states; were line ends changed?"
    return ("duplicate_span", "is there twice; remove one") if doubled else None
