"""Text with stretches of it replaced, and the map between offsets before and after."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from functools import cached_property
from itertools import accumulate

from deidlab.types import DataError, Document, Span


@dataclass(frozen=True)
class OffsetMap:
    """Which character of the old text is which of the new one.

    `edits` are (old start, old length, new length) in order, none overlapping; every character outside them stands in
    both texts. Serialise with `to_list`, read back with `from_list`.
    """

    edits: tuple[tuple[int, int, int], ...] = ()

    def to_list(self) -> list[list[int]]:
        """What JSON keeps: one short list of three numbers an edit."""
        return [list(edit) for edit in self.edits]

    @classmethod
    def from_list(cls, edits: Iterable[Sequence[int]]) -> OffsetMap:
        """Raises `DataError` when these are no edits in order."""
        read: list[tuple[int, int, int]] = []
        at = 0
        for edit in edits:
            if len(edit) != 3 or not all(isinstance(n, int) and n >= 0 for n in edit) or edit[0] < at:
                raise DataError("offset map: expected [old start, old length, new length] in order, none overlapping")
            read.append((edit[0], edit[1], edit[2]))
            at = edit[0] + edit[1]
        return cls(tuple(read))

    def inverted(self) -> OffsetMap:
        """The map from the new text to the old one."""
        return OffsetMap(
            tuple((start, new, old) for start, (_, old, new) in zip(self._starts, self.edits, strict=True))
        )

    def to_new(self, offset: int) -> int:
        """Where the old character at `offset` stands now; one that was replaced: where its replacement begins."""
        before = bisect_right(self.edits, offset, key=lambda edit: edit[0])
        if not before:
            return offset
        start, old, new = self.edits[before - 1]
        new_start = self._starts[before - 1]
        return new_start if offset < start + old else new_start + new + (offset - start - old)

    def to_old(self, offset: int) -> int:
        """Where the new character at `offset` came from; one of a replacement: where what it replaces begins."""
        return self._inverse.to_new(offset)

    def span_to_new(self, start: int, end: int) -> tuple[int, int]:
        """The new extent of an old one (at least a character long), grown to whole replacements where it cuts one."""
        return self.to_new(start), self._new_end(end)

    def span_to_old(self, start: int, end: int) -> tuple[int, int]:
        """The old extent of a new one (at least a character long), grown to whole replacements where it cuts one."""
        return self._inverse.span_to_new(start, end)

    def _new_end(self, end: int) -> int:
        before = bisect_right(self.edits, end - 1, key=lambda edit: edit[0])
        if before:
            start, old, new = self.edits[before - 1]
            if end <= start + old:
                return self._starts[before - 1] + new
        return self.to_new(end - 1) + 1

    @cached_property
    def _inverse(self) -> OffsetMap:
        return self.inverted()

    @cached_property
    def _starts(self) -> list[int]:
        """Where each replacement begins in the new text."""
        growth = accumulate((new - old for _, old, new in self.edits), initial=0)
        return [start + more for (start, _, _), more in zip(self.edits, growth, strict=False)]


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text made safe: `spans` annotate this text (labels kept, in order), `offsets` lead to and from the old one.

    What was removed altogether has no span here; `replaced` has the label of all that was taken out, and of nothing
    that was kept. `fallbacks` are (label, reason) of what was masked because nothing better could be said (a date that
    could not be read, a type without a surrogate).
    """

    text: str
    spans: tuple[Span, ...]
    offsets: OffsetMap
    fallbacks: tuple[tuple[str, str], ...] = ()
    replaced: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Redacted(text=<{len(self.text)} characters>, spans=<{len(self.spans)}>)"


def check_spans(document: Document, spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans in order. Raises `DataError` when one is empty or leaves the text."""
    ordered = tuple(sorted(spans))
    for span in ordered:
        if not 0 <= span.start < span.end <= len(document.text):
            raise DataError(
                f"document {document.id}: {span.label} span {span.start}-{span.end} does not lie in a text of "
                f"{len(document.text)} characters; were the spans made for another version of it?"
            )
    return ordered


def clusters(spans: Sequence[Span]) -> list[list[Span]]:
    """Spans in order, those that overlap together; spans that only touch stay apart."""
    groups: list[list[Span]] = []
    end = -1
    for span in spans:
        if span.start < end:
            groups[-1].append(span)
        else:
            groups.append([span])
        end = max(end, span.end)
    return groups


def united(spans: Sequence[Span]) -> Span:
    """One span that covers all of these, with the label (and score) of the longest, the first of equals."""
    if len(spans) == 1:
        return spans[0]
    longest = longest_of(spans)
    return changed(longest, start=min(s.start for s in spans), end=max(s.end for s in spans))


def longest_of(spans: Sequence[Span]) -> Span:
    """The longest of these spans, the first of equals."""
    return max(spans, key=lambda span: (span.end - span.start, -span.start))


def replace(document: Document, spans: Sequence[Span], replacements: Sequence[str]) -> Redacted:
    """The text with `replacements[i]` in the place of `spans[i]`, every character outside the spans as it was.

    Of spans that overlap, the whole extent is covered and the replacement of the longest is taken.
    Raises `DataError` when a span is empty or leaves the text, or when there are not as many replacements as spans.
    """
    if len(spans) != len(replacements):
        raise DataError(f"document {document.id}: {len(replacements)} replacements for {len(spans)} spans")
    of_span = {(s.start, s.end, s.label): text for s, text in zip(spans, replacements, strict=True)}
    pieces, edits, annotations, labels = [], [], [], []
    at = length = 0
    for group in clusters(check_spans(document, spans)):
        whole = united(group)
        longest = group[0] if len(group) == 1 else longest_of(group)
        new = of_span[longest.start, longest.end, longest.label]
        pieces += [document.text[at : whole.start], new]
        length += whole.start - at
        edits.append((whole.start, whole.end - whole.start, len(new)))
        labels.append(whole.label)
        if new:
            annotations.append(Span(length, length + len(new), whole.label, whole.score))
        length += len(new)
        at = whole.end
    pieces.append(document.text[at:])
    return Redacted("".join(pieces), tuple(annotations), OffsetMap(tuple(edits)), replaced=tuple(labels))
