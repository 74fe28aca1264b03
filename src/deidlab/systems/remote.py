"""Systems behind a network: notes in chunks, several asked at once, answers in order, offsets put back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from deidlab.labels import OUTSIDE, LabelSet
from deidlab.systems.chunking import chunks
from deidlab.systems.metering import Usage
from deidlab.types import DataError, Document, Losses, Prediction, Span

# What a service says of a chunk: spans with its own labels and offsets into the chunk, and what was lost by reason.
Ask = Callable[[str], tuple[Sequence[Span], Losses]]


@dataclass
class RemoteSystem:
    """Asks a service for every chunk of every note.

    `ask` may raise `DataError`; then its note is an error: raised when `losses.on_error` is "raise", else counted as
    `no_answer` and answered by a `Prediction` that says it `failed`. A note is never answered in part. `mapping` turns
    the service's labels into types of `labels`; those it lacks become `other`, or are counted and dropped without one.
    """

    name: str
    labels: LabelSet
    ask: Ask = field(repr=False)
    mapping: Mapping[str, str]
    limit: int
    size: Callable[[str], int] = field(default=len, repr=False)
    concurrency: int = 4
    other: str | None = None
    losses: Losses = field(default_factory=Losses)
    usage: Usage = field(default_factory=Usage)

    def predict(self, documents: Iterable[Document]) -> Iterator[Prediction]:
        """Predictions in the documents' order, a few notes ahead of what was taken."""
        waiting: deque[tuple[Document, Future]] = deque()
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix=self.name) as pool:
            try:
                for document in documents:
                    waiting.append((document, pool.submit(self._answer, document)))
                    if len(waiting) >= 2 * self.concurrency:
                        yield self._settled(*waiting.popleft())
                while waiting:
                    yield self._settled(*waiting.popleft())
            finally:  # an error, or a reader who stops early: what has not begun is not sent
                for _, future in waiting:
                    future.cancel()

    def _answer(self, document: Document) -> tuple[list[Span], Losses]:
        """The spans of a whole note, in its own offsets, and what was lost in it."""
        found: list[Span] = []
        lost = Losses("count")
        for start, end in chunks(document.text, self.limit, self.size):
            if not document.text[start:end].strip():
                continue
            spans, told = self.ask(document.text[start:end])
            lost.counts.update(told.counts)
            for span in spans:
                if not 0 <= span.start < span.end <= end - start:
                    raise DataError("the service gave offsets outside of the text it was sent")
                found.append(replace(span, start=span.start + start, end=span.end + start))
        return found, lost

    def _settled(self, document: Document, future: Future) -> Prediction:
        """The prediction of a note whose answer is awaited; counts what it lost."""
        try:
            spans, lost = future.result()
        except DataError as error:
            reason = str(error)
            self.losses.fault("no_answer", "-", f"{document.id}: {self.name}: {reason}")
            return Prediction(document.id, (), document.fingerprint, failed=reason)
        self.losses.counts.update(lost.counts)
        return Prediction(document.id, tuple(sorted(self._typed(spans))), document.fingerprint)

    def _typed(self, spans: Iterable[Span]) -> Iterator[Span]:
        for span in spans:
            label = self.mapping.get(span.label, self.other)
            if label is None:
                self.losses.count("unknown_label", span.label if span.label.isidentifier() else "-")
            elif label == OUTSIDE:
                self.losses.count("mapped_to_O", span.label)
            else:
                yield replace(span, label=label)


def stated(text: str, start: int, end: int, covered: object, label: str, score: object) -> Span:
    """A span as a service states it, checked against the text that it says it found.

    Raises `DataError` where the two differ: its offsets are of another unit, or of a text that it changed.
    """
    if isinstance(covered, str) and text[start:end] != covered:
        raise DataError(f"the service's {label} at {start}-{end} states another text than it was sent")
    return Span(start, end, label, float(score) if isinstance(score, (int, float)) else None)


def chosen_map(
    labels: LabelSet,
    known: Sequence[str],
    vocabulary: str,
    shipped: Mapping[str, Mapping[str, str]] | None,
    own: Mapping[str, str] | None,
) -> dict[str, str]:
    """What each label of a service means in `labels`: the map shipped for that set, with the user's own on top.

    Raises `DataError` that lists every label of the service left without a place.
    """
    return labels.mapping_for(vocabulary, known, {**(shipped or {}).get(labels.name, {}), **(own or {})})
