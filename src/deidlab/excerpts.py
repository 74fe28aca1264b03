"""Errors with the text around them, for the eyes of those who asked (`report.show_text=true`) and no one else."""

from __future__ import annotations

from dataclasses import dataclass, field

from deidlab.types import Document, Prediction

CONTEXT = 40  # characters either side of an error, where its text is wanted


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A gold span that was missed or a predicted one that is wrong, with its text: for the eyes of those who asked.

    `kind` is missed or spurious, by the strict definition. Never printed by `repr`, never part of `report.json`.
    """

    document_id: str
    kind: str
    start: int
    end: int
    label: str
    before: str = field(repr=False)
    text: str = field(repr=False)
    after: str = field(repr=False)


def errors_of(document: Document, prediction: Prediction) -> list[Excerpt]:
    """The strict errors of a document in the order of the text."""
    gold, found = set(document.spans), set(prediction.spans)
    text = document.text
    sides = [("missed", span) for span in gold - found] + [("spurious", span) for span in found - gold]
    return [
        Excerpt(
            document.id, kind, span.start, span.end, span.label,
            text[max(0, span.start - CONTEXT) : span.start],
            text[span.start : span.end],
            text[span.end : span.end + CONTEXT],
        )
        for kind, span in sorted(sides, key=lambda side: (side[1], side[0]))
    ]  # fmt: skip
