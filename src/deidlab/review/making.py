"""A queue from notes and what any system found in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from deidlab.corpora import brat
from deidlab.corpora.files import files_in
from deidlab.corpora.reading import Reading, sources
from deidlab.flagging import Flagging
from deidlab.labels import LabelSet
from deidlab.review.queue import QueuedNote, write
from deidlab.systems import predictions
from deidlab.systems.answers import check_answer
from deidlab.types import DataError, Document, Losses, Prediction


def make(queue: Path, notes: Path, found: Path, flagging: Flagging) -> int:
    """Write a queue of those notes that have predictions (`.ann`, `.xml` or `.jsonl`); returns how many.

    Raises `DataError` for notes or predictions that cannot be read or do not fit, and when nothing was found.
    """
    files = files_in(found, ".ann", ".xml", ".jsonl")
    lines = [line for file in files if file.suffix == ".jsonl" for line in predictions.read_lines(file)]
    labels = predictions.labels_used([file for file in files if file.suffix != ".jsonl"], lines)
    if not labels:
        raise DataError(f"{found}: nothing was found in any note; there is nothing to review")
    system = predictions.load(found, LabelSet("predicted", tuple(sorted(labels))), setting="the predictions")
    asked = [document for document in read(notes) if document.id in system.ids]
    return write(queued(asked, system.predict(asked), flagging), queue)


def read(notes: Path) -> Iterator[Document]:
    """Notes of any format, plain text files among them."""
    losses = Losses(setting="the notes")
    if notes.suffix == ".txt" or (notes.is_dir() and any(notes.glob("*.txt"))):
        return brat.read(notes, losses, annotated=False)
    return chain.from_iterable(Reading().documents(one.path, one.form, losses) for one in sources(notes))


def queued(documents: Iterable[Document], found: Iterable[Prediction], flagging: Flagging) -> Iterator[QueuedNote]:
    """The notes with what was found in them, and what `flagging` would ask; both come in the same order.

    Raises `DataError` for a prediction that failed, or was made for another note or text.
    """
    for document, prediction in zip(documents, found, strict=True):
        check_answer(document, prediction, "the predictions")
        if prediction.failed is not None:
            raise DataError(
                f"{document.id}: has no prediction ({prediction.failed}); predict it again, or leave it out"
            )
        yield flagging.queued(document, prediction)
