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
        place = f", {annotation.place}" if annotation.place else ""
        where = f"{document_id}{place}: {span.label or 'unlabelled'} span {span.start}-{span.end}"
        if not span.label:
            losses.fault("no_label", "-", f"{where} has no label; give it one or remove it")
        elif span.end < span.start:
            losses.fault("reversed_span", span.label, f"{where} ends before it starts; swap its offsets")
        elif span.end == span.start:
            losses.fault("empty_span", span.label, f"{where} is empty; remove it")
        elif span.start < 0 or span.end > len(text):
            losses.fault("out_of_range", span.label, f"{where} exceeds text length {len(text)}; was it re-encoded?")
        elif not annotation.agrees(text):
            losses.fault(
                "offset_mismatch", span.label, f"{where} points at other text than it states; were line ends changed?"
            )
        elif span in spans:
            losses.fault("duplicate_span", span.label, f"{where} is there twice; remove one")
        else:
            spans[span] = None
    return tuple(sorted(spans))
