"""How much leaks after so many minutes of review: questions answered in order of value, by one who is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deidlab.flagging import Flagging
from deidlab.types import Document, Prediction, Span


@dataclass(frozen=True)
class Workload:
    """After each question, (1 + questions,): minutes spent, the share of gold characters that leak, and the share of
    what was covered that is not gold."""

    minutes: np.ndarray
    leak: np.ndarray
    false_alarms: np.ndarray

    def at(self, minutes: float) -> tuple[float, float]:
        """Leak and false alarms after so many minutes."""
        place = int(np.searchsorted(self.minutes, minutes, side="right")) - 1
        return float(self.leak[place]), float(self.false_alarms[place])


def workload(
    documents: Sequence[Document], predictions: Sequence[Prediction], flagging: Flagging, seconds: float = 5.0
) -> Workload:
    """Answer all questions of some notes with gold spans, the most valuable first, `seconds` each.

    An answer covers what of a likely miss is gold, or frees what of a likely false alarm is not; nothing beyond it.
    """
    secret = missed = covered = wasted = 0
    answers: list[tuple[float, int, int]] = []
    for document, prediction in zip(documents, predictions, strict=True):
        gold, found = marked(document, document.spans), marked(document, prediction.spans)
        secret, covered = secret + int(gold.sum()), covered + int(found.sum())
        missed, wasted = missed + int((gold & ~found).sum()), wasted + int((found & ~gold).sum())
        for question in flagging.questions(document, prediction):
            here = marked(document, [question.span])
            if question.kind == "likely_miss":
                answers.append((question.value, int((here & gold & ~found).sum()), 0))
            else:
                answers.append((question.value, 0, int((here & found & ~gold).sum())))
    answers.sort(key=lambda one: -one[0])
    mended, freed = (np.cumsum([0, *(one[k] for one in answers)]) for k in (1, 2))
    minutes = np.arange(len(answers) + 1) * seconds / 60
    return Workload(minutes, (missed - mended) / max(secret, 1), (wasted - freed) / max(covered, 1))


def marked(document: Document, spans: Sequence[Span]) -> np.ndarray:
    """Which visible characters of a note stand in one of the spans, (characters,) bool."""
    inside = np.zeros(len(document.text), bool)
    for span in spans:
        inside[span.start : span.end] = True
    return inside & np.fromiter((not c.isspace() for c in document.text), bool, len(document.text))
