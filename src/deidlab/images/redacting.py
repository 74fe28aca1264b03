"""From what was read on the pages of a file to what is covered on each: one document, one model, exact boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from deidlab.images.boxes import Covering, boxes_of, doubtful, mask_of
from deidlab.images.geometry import Box, box_of, moved
from deidlab.images.known import mended_months, occurrences, reduced
from deidlab.images.layout import Layout, arranged
from deidlab.images.words import TEXT_LAYER, Reading
from deidlab.types import Document, Span

Find = Callable[[Sequence[Document]], Sequence[Sequence[Span]]]  # the spans to cover, document by document
_BETWEEN = "\n\n"  # pages
_TELLING = 6  # letters and digits of an identifier that is also looked for where it was read with errors


@dataclass(frozen=True)
class Cover:
    """What is covered on a page because of one reading: in its frame, each box with what was found there.

    `layout` and `ranges` (characters of its text) tell how it came about.
    """

    reading: Reading
    boxes: tuple[Box, ...]
    layout: Layout
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Covers:
    """What is covered on every page, and how many spans of each label were found in each source of text."""

    pages: tuple[tuple[Cover, ...], ...]
    counts: Counter[str] = field(default_factory=Counter)

    def mask(self, page: int, height: int, width: int) -> np.ndarray:
        """The covered pixels of a page, (height, width) bool: all that any of its readings gives reason for."""
        mask = np.zeros((height, width), bool)
        for cover in self.pages[page]:
            mask |= mask_of(cover.boxes, cover.reading.to_page, height, width)
        return mask


def covers(
    pages: Sequence[Sequence[Reading]], find: Find, covering: Covering, name: str, known: Sequence[str] = ()
) -> Covers:
    """Find identifiers in the pages of a file and say what to cover.

    The pages that one source read (an engine, a text layer) are one document, so that the model sees over page ends
    and a name found once is found on all pages. What one source found on a page is looked for in what the others read
    there, and `known` identifiers everywhere. Raises what `find` raises.
    """
    layouts = [[arranged(reading.words) for reading in readings] for readings in pages]
    sources = list(dict.fromkeys(reading.source for readings in pages for reading in readings))
    documents, places = [], []
    for source in sources:
        text, where = "", {}
        for number, readings in enumerate(pages):
            for i, reading in enumerate(readings):
                if reading.source == source:
                    where[number, i] = len(text)
                    text += layouts[number][i].text + _BETWEEN
        documents.append(Document(f"{name} ({source})", text))
        places.append(where)
    ranges: dict[tuple[int, int], list[tuple[int, int]]] = {}
    counts: Counter[str] = Counter()
    for spans, where in zip(found_in(documents, find), places, strict=True):
        counts.update(span.label for span in spans)
        for (number, i), start in where.items():
            ranges[number, i] = clipped(spans, start, start + len(layouts[number][i].text))
    return Covers(
        tuple(
            tuple(_page(readings, layouts[n], [ranges[n, i] for i in range(len(readings))], covering, known))
            for n, readings in enumerate(pages)
        ),
        counts,
    )


def found_in(documents: Sequence[Document], find: Find) -> list[list[Span]]:
    """What is found in documents as they were read, and with the months of dates spelled right where they were not."""
    mended = {i: text for i, d in enumerate(documents) if (text := mended_months(d.text)) != d.text}
    answers = find([*documents, *(replace(documents[i], text=text) for i, text in mended.items())])
    found = [list(spans) for spans in answers[: len(documents)]]
    for i, spans in zip(mended, answers[len(documents) :], strict=True):
        found[i] += [span for span in spans if span not in found[i]]
    return found


def clipped(spans: Sequence[Span], start: int, end: int) -> list[tuple[int, int]]:
    """The parts of spans between two places of a text, counted from the first."""
    return [(max(s.start, start) - start, min(s.end, end) - start) for s in spans if s.start < end and s.end > start]


def unread_by_all(reading: Reading, others: Sequence[Reading], least_confidence: float) -> tuple[Box, ...]:
    """Places that a reading left unread and that no other engine filled, to half of their width at least, with words
    that it is sure of. A text layer vouches for nothing: it need not be what is seen."""
    left = list(reading.unread)
    for other in others if left else ():
        if other.source != TEXT_LAYER:
            to_ours = np.linalg.inv(reading.to_page) @ other.to_page
            sure = (word.box for word in other.words if word.confidence >= least_confidence)
            words = [box_of(moved(box.corners(), to_ours)) for box in sure]
            left = [place for place in left if _filled(place, words) < 0.5]
    return tuple(left)


def _filled(place: Box, words: Sequence[Box]) -> float:
    """The share of a place's width under words whose middle lies at its height."""
    at_height = (word for word in words if place.top < (word.top + word.bottom) / 2 < place.bottom)
    return sum(max(min(w.right, place.right) - max(w.left, place.left), 0) for w in at_height) / max(place.width, 1e-6)


def whole(text: str, start: int, end: int) -> tuple[int, int]:
    """A range grown to where its first and last runs of letters, or of digits, begin and end.

    On misread text a model may find all of a name but a letter; what is left of a word tells the word.
    """
    if start >= end:
        return start, end
    kind = _kind(text[start])
    while kind and start and _kind(text[start - 1]) == kind:
        start -= 1
    kind = _kind(text[end - 1])
    while kind and end < len(text) and _kind(text[end]) == kind:
        end += 1
    return start, end


def _kind(ch: str) -> str:
    return "letter" if ch.isalpha() else "digit" if ch.isdigit() else ""


def _page(
    readings: Sequence[Reading],
    layouts: Sequence[Layout],
    found: Sequence[list[tuple[int, int]]],
    covering: Covering,
    known: Sequence[str],
) -> list[Cover]:
    shown = {layout.text[a:b] for layout, ranges in zip(layouts, found, strict=True) for a, b in ranges}
    wanted = [*known, *(text for text in shown if len(reduced(text)[0]) >= _TELLING)]
    made = []
    for reading, layout, ranges in zip(readings, layouts, found, strict=True):
        ranges = [whole(layout.text, *found) for found in (*ranges, *occurrences(layout.text, wanted))]
        others = [other for other in readings if other is not reading]
        rest = replace(reading, unread=unread_by_all(reading, others, covering.least_confidence))
        boxes = (*boxes_of(layout, ranges, covering), *doubtful(rest, covering))
        made.append(Cover(reading, boxes, layout, tuple(ranges)))
    return made
