"""Spans and texts of many documents as columns: what every metric works on.

A table holds the documents of one chunk of a corpus, numbered from 0; metrics of chunks concatenate (`counts.py`),
so that a corpus of any size is evaluated in the memory of one chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

import numpy as np

from deidlab.types import DataError, Span


@dataclass(frozen=True, eq=False)
class SpanTable:
    """Spans of `documents` documents in the order they were given.

    `document`, `start`, `end` and `label` are (spans,) int64; `label` indexes `labels`; offsets are half-open
    characters.
    """

    document: np.ndarray
    start: np.ndarray
    end: np.ndarray
    label: np.ndarray
    documents: int
    labels: tuple[str, ...]

    @classmethod
    def of(cls, spans: Iterable[Iterable[Span]], labels: Sequence[str]) -> SpanTable:
        """Build from one collection of spans per document.

        Gold and predictions that are to be compared share `labels`, the union of both vocabularies. Raises `DataError`
        for a label outside of it and for offsets that are negative or reversed.
        """
        per_document = [list(one) for one in spans]
        flat = list(chain.from_iterable(per_document))
        ids = {label: i for i, label in enumerate(labels)}
        if unknown := {span.label for span in flat} - ids.keys():
            raise DataError(
                f"spans carry labels outside of the evaluated set: {', '.join(sorted(unknown))}; "
                "map them to one of its types or to O, or add them to the set"
            )
        table = cls(
            document=np.repeat(np.arange(len(per_document)), [len(one) for one in per_document]),
            start=np.fromiter((span.start for span in flat), np.int64, len(flat)),
            end=np.fromiter((span.end for span in flat), np.int64, len(flat)),
            label=np.fromiter((ids[span.label] for span in flat), np.int64, len(flat)),
            documents=len(per_document),
            labels=tuple(labels),
        )
        if len(wrong := np.flatnonzero((table.start < 0) | (table.end < table.start))):
            i = wrong[0]
            raise DataError(
                f"document number {table.document[i]}: span {table.start[i]}-{table.end[i]} is negative or reversed; "
                "offsets are half-open characters from 0"
            )
        return table

    def __len__(self) -> int:
        return len(self.start)

    def where(self, kept: np.ndarray) -> SpanTable:
        """The rows that a mask or an index array selects; the documents stay."""
        return replace(
            self, document=self.document[kept], start=self.start[kept], end=self.end[kept], label=self.label[kept]
        )

    def are(self, types: Collection[str]) -> np.ndarray:
        """(spans,) bool: is the type of the span among `types`?"""
        return np.array([label in types for label in self.labels], bool)[self.label]


@dataclass(frozen=True, eq=False)
class TextTable:
    """The texts of the documents of a chunk, end to end.

    `codes` is (characters,) uint32 code points; document `i` is `codes[first[i]:first[i + 1]]`.
    """

    codes: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, texts: Iterable[str]) -> TextTable:
        texts = list(texts)
        joined = "".join(texts).encode("utf-32-le", "surrogatepass")
        return cls(np.frombuffer(joined, "<u4"), np.cumsum([0, *map(len, texts)]))

    def __repr__(self) -> str:
        return f"TextTable(documents={len(self.first) - 1}, characters={len(self.codes)})"

    def place(self, spans: SpanTable) -> tuple[np.ndarray, np.ndarray]:
        """Starts and ends of spans as offsets into `codes`, cut at the end of their document."""
        if spans.documents != len(self.first) - 1:
            raise DataError(f"{spans.documents} documents have spans but {len(self.first) - 1} have texts")
        begin, length = self.first[spans.document], np.diff(self.first)[spans.document]
        return begin + np.minimum(spans.start, length), begin + np.minimum(spans.end, length)

    @cached_property
    def ascii_alphanumeric(self) -> np.ndarray:
        """(characters,) bool: `[a-zA-Z0-9]`."""
        table = np.array([chr(code).isalnum() for code in range(128)] + [False])
        return table[np.minimum(self.codes, 128)]

    @cached_property
    def alphanumeric(self) -> np.ndarray:
        """(characters,) bool: `str.isalnum`."""
        return self._classify(str.isalnum)

    @cached_property
    def alphanumeric_before(self) -> np.ndarray:
        """(characters + 1,) how many alphanumeric characters stand before each place."""
        return running_total(self.alphanumeric)

    @cached_property
    def space(self) -> np.ndarray:
        """(characters,) bool: `str.isspace`."""
        return self._classify(str.isspace)

    def _classify(self, test: Callable[[str], bool]) -> np.ndarray:
        table = np.array([test(chr(code)) for code in range(128)] + [False])
        answer = table[np.minimum(self.codes, 128)]
        beyond = np.flatnonzero(self.codes >= 128)
        distinct, which = np.unique(self.codes[beyond], return_inverse=True)
        answer[beyond] = np.array([test(chr(code)) for code in distinct], bool)[which]
        return answer


def running_total(values: np.ndarray) -> np.ndarray:
    """(n + 1,) sums of the first 0, 1, ... n values: the sum over [a, b) is `total[b] - total[a]`."""
    return np.concatenate(([0], np.cumsum(values, dtype=np.int64)))
