"""How long notes are, in characters, words and subwords, and what spans lose on subwords and whole words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from deidlab.encoding import Encoder, label_units
from deidlab.labels import LabelSet
from deidlab.types import Document, Losses
from deidlab.word_bounds import word_bounds


@dataclass(frozen=True)
class Lengths:
    """Of one unit over all notes: their sum, and quantiles (nearest rank) of a note's length."""

    unit: str
    total: int
    least: int
    median: int
    p95: int
    most: int

    @classmethod
    def of(cls, unit: str, lengths: Iterable[int]) -> Lengths:
        """The summary of the lengths of one or more notes."""
        found = np.array(list(lengths))
        median, p95 = (int(np.quantile(found, q, method="higher")) for q in (0.5, 0.95))
        return cls(unit, int(found.sum()), int(found.min()), median, p95, int(found.max()))

    def to_dict(self) -> dict[str, str | int]:
        return asdict(self)


def measured(documents: Sequence[Document], encoder: Encoder | None) -> tuple[list[Lengths], Losses]:
    """The lengths of notes, and what a model with this encoder could not represent of their spans.

    Without an encoder there are no subwords, and spans are held against whole words alone.
    """
    losses = Losses()
    types = sorted({span.label for document in documents for span in document.spans}) or ["-"]
    labels = LabelSet("inspected", tuple(types))
    words = [word_bounds(document.text) for document in documents]
    subwords = []
    encoded = encoder.encode(documents) if encoder is not None else None
    for document, bounds in zip(documents, words, strict=True):
        units = bounds
        if encoded is not None:
            one = next(encoded)
            units = one.unit_spans
            subwords.append(len(one.input_ids))
        label_units(document.spans, units, labels, losses)
    rows = [Lengths.of("characters", (len(d.text) for d in documents)), Lengths.of("words", map(len, words))]
    return [*rows, *([Lengths.of("subwords", subwords)] if subwords else [])], losses
