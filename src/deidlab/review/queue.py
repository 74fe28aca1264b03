"""The review queue: notes with what a system found in them and what it would ask a person, best first.

JSON lines, one note each. What a list needs comes first, so that a queue opens without its notes being read:
`{"id", "fingerprint", "value", "questions": [{"start", "end", "label", "score", "kind", "value"}, ...],
"spans": [{"start", "end", "label", "score"}, ...], "meta": {...}, "text"}`. Any other order of keys is read as well.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from deidlab.corpora.files import lone_surrogate, private
from deidlab.types import DataError, Document, Span

Kind = Literal["likely_miss", "likely_false_alarm"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Question:
    """A span that a person should look at, and how much that is worth (any scale, larger first).

    A `likely_false_alarm` is one of the note's spans; a `likely_miss` is not.
    """

    span: Span
    kind: Kind
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class QueuedNote:
    """A note whose `document.spans` are what a system takes for identifiers, and what it would ask about it."""

    document: Document
    questions: tuple[Question, ...] = ()
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list shows of a note; `offset` and `length` are the bytes of its line."""

    id: str
    fingerprint: str
    value: float
    questions: int
    offset: int
    length: int


def write(notes: Iterable[QueuedNote], path: str | Path) -> int:
    """Write a queue, the most valuable notes first, whole or not at all; returns how many notes it has.

    Raises `DataError` for a file that exists, two notes of one id, and what `to_line` refuses.
    """
    path = Path(path)
    if path.exists():
        raise DataError(f"{path} exists already; its decisions belong to it: name a new file")
    path.parent.mkdir(parents=True, exist_ok=True)
    ranked = sorted(notes, key=lambda note: -note.value)
    check_unique(path, (note.document.id for note in ranked))
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        with open(unfinished, "x", encoding="utf-8", opener=private) as file:
            file.writelines(map(to_line, ranked))
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return len(ranked)


def to_line(note: QueuedNote) -> str:
    """The note as a line of a queue; raises `DataError` for spans outside of the text and for values without bounds."""
    document = note.document
    row = {
        "id": document.id,
        "fingerprint": document.fingerprint,
        "value": float(note.value),
        "questions": [{**_row(q.span), "kind": q.kind, "value": float(q.value)} for q in note.questions],
        "spans": [_row(span) for span in document.spans],
        "meta": dict(document.meta),
        "text": document.text,
    }
    _note(row, document.id)
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def _row(span: Span) -> dict[str, Any]:
    score = None if span.score is None else float(span.score)
    return {"start": int(span.start), "end": int(span.end), "label": span.label, "score": score}


class Queue:
    """A queue file, opened: its `entries` at once, a note when it is asked for.

    The file stays open, so that a note is read as the queue was when it was indexed.
    """

    def __init__(self, path: str | Path) -> None:
        """Raises `DataError` for a file that is no queue, with the first line that is not."""
        self.path = Path(path)
        if self.path.is_dir():
            raise DataError(f"{self.path} is a folder; expected a queue of `deidlab deidentify --review`")
        try:
            self._file = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise DataError(
                f"{self.path}: {error.strerror}; expected a queue of `deidlab deidentify --review`"
            ) from None
        labels: set[bytes] = set()
        self.entries = tuple(_indexed(self.path, labels))
        check_unique(self.path, (entry.id for entry in self.entries))
        self.numbers = {entry.id: number for number, entry in enumerate(self.entries)}
        self.labels = tuple(sorted(json.loads(label) for label in labels))

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, number: int) -> QueuedNote:
        """The note of that number; raises `DataError` for a line that is not what it should be."""
        entry = self.entries[number]
        place = f"{self.path.name} line {number + 1} ({entry.id})"
        return _note(_parsed(os.pread(self._file, entry.length, entry.offset), place), place)

    def __iter__(self) -> Iterator[QueuedNote]:
        return (self[number] for number in range(len(self)))

    def close(self) -> None:
        os.close(self._file)


def check_unique(path: Path, ids: Iterable[str]) -> None:
    """Raise `DataError` for an id that is there twice: a decision would not know which note it is about."""
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise DataError(f"{path.name}: two notes have the id {one!r}; make ids unique")
        seen.add(one)


_TEXT = rb'"(?:[^"\\]|\\.)*"'
# How `to_line` begins. Inside a JSON string no quote stands alone, so the first `], "spans": ` ends the questions.
_HEAD = re.compile(
    rb'\{"id": (%s), "fingerprint": (%s), "value": ([^,]+), "questions": (\[.*?\]), "spans": ' % (_TEXT, _TEXT)
)
_LABEL = re.compile(rb'"label": ?(%s)' % _TEXT)


def _indexed(path: Path, labels: set[bytes]) -> Iterator[Entry]:
    """The entries of a queue in the order of its lines; adds the labels that occur, as they are written."""
    offset = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            place = f"{path.name} line {number}"
            if not line.rstrip().endswith(b"}"):
                raise DataError(f"{place}: is empty or cut off; expected a note of a review queue, as JSON")
            if head := _HEAD.match(line):
                name, fingerprint, value, questions = _parsed(b"[%s]" % b",".join(head.groups()), place)
            else:
                row = _parsed(line, place)
                _note(row, place)
                name, fingerprint, value = row["id"], row["fingerprint"], row.get("value", 0.0)
                questions = row.get("questions", [])
            labels.update(_LABEL.findall(line))
            yield Entry(name, fingerprint, value, len(questions), offset, len(line))
            offset += len(line)


def _parsed(raw: bytes, place: str) -> Any:
    try:
        return json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):  # their messages may quote the note
        raise DataError(f"{place}: is no JSON in UTF-8; was the queue edited by hand?") from None


def _note(row: Any, place: str) -> QueuedNote:
    """A checked note from a line's JSON."""
    try:
        document = Document(
            row["id"], row["text"], tuple(sorted(_span(one) for one in row["spans"])), dict(row.get("meta", {}))
        )
        questions = tuple(
            Question(_span(one), one["kind"], _finite(one.get("value", 0.0))) for one in row.get("questions", [])
        )
        value, fingerprint = _finite(row.get("value", 0.0)), row["fingerprint"]
        text_is_text = isinstance(document.id, str) and isinstance(document.text, str)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{place}: is no note of a review queue ({type(error).__name__}); make the queue anew"
        ) from None
    if not text_is_text or not document.id or lone_surrogate(document.id + document.text) is not None:
        raise DataError(f"{place}: id and text are strings that UTF-8 can carry; make the queue anew")
    if fingerprint != document.fingerprint:
        raise DataError(f"{place}: the text is not the one the queue was made for (fingerprint); make the queue anew")
    for span in (*document.spans, *(question.span for question in questions)):
        if not 0 <= span.start < span.end <= len(document.text):
            raise DataError(
                f"{place}: {span.label} span {span.start}-{span.end} is empty, or outside of a text of "
                f"{len(document.text)} characters; make the queue anew"
            )
    if unknown := {question.kind for question in questions} - set(KINDS):
        raise DataError(f"{place}: a question is of kind {sorted(map(str, unknown))[0]}; expected {' or '.join(KINDS)}")
    return QueuedNote(document, questions, value)


def _span(row: Any) -> Span:
    start, end, label, score = row["start"], row["end"], row["label"], row.get("score")
    if type(start) is not int or type(end) is not int or type(label) is not str or not label:
        raise TypeError
    return Span(start, end, label, None if score is None else _finite(score))


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError
    return float(value)
