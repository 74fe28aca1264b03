"""A queue from notes and what any system found in them: every span it was not sure of is a question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from deidlab.review.queue import Question, QueuedNote
from deidlab.systems.answers import check_answer
from deidlab.types import DataError, Document, Prediction


def queued(
    documents: Iterable[Document], predictions: Iterable[Prediction], unsure_below: float = 0.9
) -> Iterator[QueuedNote]:
    """Notes with predicted spans; one with a score below `unsure_below` is asked about, worth what it lacks to 1.

    The value of a note is that of its questions together. Documents and predictions come in the same order. Raises
    `DataError` for a prediction that failed, or was made for another note or text.
    """
    for document, prediction in zip(documents, predictions, strict=True):
        check_answer(document, prediction, "the predictions")
        if prediction.failed is not None:
            raise DataError(
                f"{document.id}: has no prediction ({prediction.failed}); predict it again, or leave it out"
            )
        questions = tuple(
            Question(span, "likely_false_alarm", 1 - span.score)
            for span in prediction.spans
            if span.score is not None and span.score < unsure_below
        )
        found = Document(document.id, document.text, tuple(sorted(prediction.spans)), document.meta)
        yield QueuedNote(found, questions, sum(question.value for question in questions))
