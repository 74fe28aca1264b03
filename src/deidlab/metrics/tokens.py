"""Spans cut into tokens, and spans as the tags of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deidlab.metrics.tables import SpanTable, TextTable


def alphanumeric_tokens(spans: SpanTable, texts: TextTable) -> SpanTable:
    """The tokens `[a-zA-Z0-9]+` within each span, carrying its label.

    As in the i2b2 2014 scorer, a letter outside of ASCII parts tokens, and a span without any token counts as one
    empty token at its end.
    """
    start, end = texts.place(spans)
    run_start, run_end = runs(texts.ascii_alphanumeric)
    first = np.searchsorted(run_end, start, "right")
    count = np.where(end > start, np.searchsorted(run_start, end, "left") - first, 0)
    span, run = expand(first, count)
    # A run may reach beyond its span (and even into the next document): what counts is the part inside.
    token_start, token_end = np.maximum(run_start[run], start[span]), np.minimum(run_end[run], end[span])
    without = np.flatnonzero(count == 0)
    row = np.concatenate((span, without))
    offset = texts.first[spans.document[row]]
    return SpanTable(
        document=spans.document[row],
        start=np.concatenate((token_start, end[without])) - offset,
        end=np.concatenate((token_end, end[without])) - offset,
        label=spans.label[row],
        documents=spans.documents,
        labels=spans.labels,
    )


def runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half-open starts and ends of the stretches where a mask holds."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return edges[::2], edges[1::2]


def expand(first: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (row, first[row] + 0 ... count[row] - 1) of all rows, end to end."""
    row = np.repeat(np.arange(len(count)), count)
    return row, first[row] + np.arange(len(row)) - (np.cumsum(count) - count)[row]


@dataclass(frozen=True, eq=False)
class WordTable:
    """The words of documents: runs of letters and digits, and every other visible character by itself.

    `start` and `end` are (words,) offsets into the joined text, `document` is (words,).
    """

    document: np.ndarray
    start: np.ndarray
    end: np.ndarray

    @classmethod
    def of(cls, texts: TextTable) -> WordTable:
        word, space = texts.alphanumeric, texts.space
        # A word begins at each visible character that does not continue a run of letters and digits.
        continues = np.zeros(len(word), bool)
        continues[1:] = word[1:] & word[:-1]
        begins_document = np.zeros(len(word) + 1, bool)
        begins_document[texts.first] = True
        start = np.flatnonzero(~space & (~continues | begins_document[:-1]))
        # It ends before the next word, or before the white space between.
        gaps = np.append(np.flatnonzero(space), len(word))
        end = np.minimum(np.append(start[1:], len(word)), gaps[np.searchsorted(gaps, start)])
        return cls(np.searchsorted(texts.first, start, "right") - 1, start, end)

    @classmethod
    def at(cls, bounds: Sequence[np.ndarray], texts: TextTable) -> WordTable:
        """Pieces that somebody else cut, (pieces, 2) half-open ascending characters of each document."""
        document = np.repeat(np.arange(len(bounds)), [len(one) for one in bounds])
        placed = np.concatenate([*bounds, np.empty((0, 2), np.int64)]) + texts.first[document][:, None]
        solid = placed[:, 0] < placed[:, 1]
        return cls(document[solid], placed[solid, 0], placed[solid, 1])

    def owners(self, spans: SpanTable, texts: TextTable) -> np.ndarray:
        """(words,) row of the span that each word belongs to, or -1.

        A word belongs to a span that shares a character with it; of several, to the one that starts first, then to the
        longer one.
        """
        start, end = texts.place(spans)
        first = np.searchsorted(self.end, start, "right")
        count = np.where(end > start, np.maximum(np.searchsorted(self.start, end, "left") - first, 0), 0)
        order = np.lexsort((-end, start))[::-1]  # written last, read first
        row, word = expand(first[order], count[order])
        owner = np.full(len(self.start), -1)
        owner[word] = order[row]
        return owner

    def touched(self, spans: SpanTable, texts: TextTable) -> SpanTable:
        """The words that share a character with a span, each as a span with the label of its owner."""
        owner = self.owners(spans, texts)
        owned = np.flatnonzero(owner >= 0)
        offset = texts.first[self.document[owned]]
        return SpanTable(
            document=self.document[owned],
            start=self.start[owned] - offset,
            end=self.end[owned] - offset,
            label=spans.label[owner[owned]],
            documents=spans.documents,
            labels=spans.labels,
        )
