"""What every system owes: one answer a note, in order, about the text as it is."""

from __future__ import annotations

from deidlab.types import DataError, Document, Prediction


def check_answer(document: Document, prediction: Prediction, system: str) -> None:
    """Raise `DataError` when a prediction is for another note or another text, or points outside it."""
    if prediction.document_id != document.id:
        raise DataError(f"{system} answered {prediction.document_id} where {document.id} was asked: it must keep order")
    if prediction.fingerprint not in (None, document.fingerprint):
        raise DataError(
            f"{document.id}: {system} answered for another text (fingerprint differs): a system may not change the text"
        )
    for span in prediction.spans:
        if not 0 <= span.start < span.end <= len(document.text):
            raise DataError(
                f"{document.id}: {system} found {span.label} at {span.start}-{span.end} in a text of "
                f"{len(document.text)} characters: its offsets are those of another text"
            )
