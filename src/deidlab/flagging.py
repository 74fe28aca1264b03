"""Which spans of a note a person should look at, and what that is worth: likely misses, likely false alarms.

The value of a question is the harm that its answer is expected to prevent: the probability that leaving a stretch
readable is wrong times the characters that would leak, or the probability that a span is not right times those that
would be covered for nothing, which is worth less.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from deidlab.review.queue import Question, QueuedNote
from deidlab.types import ConfigError, Document, Prediction, Span


@dataclass(frozen=True)
class Flagging:
    """What is worth asking. `false_alarm` is the harm of a character covered for nothing, where one that leaks is 1.

    A span is asked about when it is right with a probability below `sure`; spans that rules found have none.
    """

    false_alarm: float = 0.05
    sure: float = 0.8

    def __post_init__(self) -> None:
        if self.false_alarm < 0 or not 0 <= self.sure <= 1:
            raise ConfigError("flagging: false_alarm is 0 or more, sure a probability")

    def questions(self, document: Document, prediction: Prediction) -> tuple[Question, ...]:
        """The questions about a note, most valuable first."""
        asked = []
        for stretch in outside(prediction.doubts, prediction.spans):
            # Punctuation that stands alone says nothing of anybody.
            if any(map(str.isalnum, document.text[stretch.start : stretch.end])):
                worth = (stretch.score or 0.0) * characters(document, stretch)
                asked.append(Question(stretch, "likely_miss", worth))
        for span in prediction.spans:
            if span.score is not None and span.score < self.sure:
                worth = (1 - span.score) * characters(document, span) * self.false_alarm
                asked.append(Question(span, "likely_false_alarm", worth))
        return tuple(sorted(asked, key=lambda one: (-one.value, one.span)))

    def queued(self, document: Document, prediction: Prediction) -> QueuedNote:
        """The note with what was found in it and what is to be asked, worth as much as its questions together."""
        asked = self.questions(document, prediction)
        return QueuedNote(replace(document, spans=prediction.spans), asked, round(sum(one.value for one in asked), 6))


def outside(doubts: Iterable[Span], spans: Sequence[Span]) -> Iterator[Span]:
    """What of the doubts no span covers: rules and consistency cover some of them after the model."""
    for doubt in doubts:
        start = doubt.start
        for span in sorted(spans):
            if span.end <= start or span.start >= doubt.end:
                continue
            if span.start > start:
                yield replace(doubt, start=start, end=span.start)
            start = max(start, span.end)
        if start < doubt.end:
            yield replace(doubt, start=start)


def characters(document: Document, span: Span) -> int:
    """Visible characters of a span."""
    return sum(not c.isspace() for c in document.text[span.start : span.end])


def ranked(parts: Iterable[Path], stream: BinaryIO) -> None:
    """Write the lines of several queues as one, the most valuable first; of their text one note is held at a time."""
    places = []
    parts = [part for part in parts if part.exists()]
    for number, part in enumerate(parts):
        with part.open("rb") as lines:
            offset = 0
            for line in lines:
                places.append((-json.loads(line)["value"], number, offset, len(line)))
                offset += len(line)
    sources = [part.open("rb") for part in parts]
    try:
        for _, number, offset, length in sorted(places):
            sources[number].seek(offset)
            stream.write(sources[number].read(length))
    finally:
        for source in sources:
            source.close()
