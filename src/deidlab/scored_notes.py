"""Notes with gold spans and what a model says of them: what calibration, guarantees and uncertainty are learnt from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from deidlab.calibration.scaling import FLOOR
from deidlab.encoding import label_units
from deidlab.labels import LabelSet
from deidlab.types import Document, Losses, TokenScores


@dataclass(frozen=True)
class ScoredNote:
    """A note, its scores, and the gold tag of each unit, (units,)."""

    document: Document = field(repr=False)
    scores: TokenScores = field(repr=False)
    gold: np.ndarray = field(repr=False)

    @property
    def patient(self) -> str:
        """Who the note is of; where that is unknown, a patient of its own."""
        return self.document.meta.get("patient") or self.document.id

    @cached_property
    def log_probs(self) -> np.ndarray:
        """Log-probabilities of the tags of each unit, (units, tags) float64."""
        return np.maximum(self.scores.log_probs.astype(np.float64), FLOOR)


def scored_notes(
    documents: Iterable[Document], scores: Iterable[TokenScores], labels: LabelSet, losses: Losses
) -> Iterator[ScoredNote]:
    """Documents, whose spans carry types of `labels`, with their scores; misfits are counted in `losses`."""
    for document, one in zip(documents, scores, strict=True):
        yield ScoredNote(document, one, label_units(document.spans, one.unit_spans, labels, losses))


def of_patients(notes: Sequence[ScoredNote], parts: int, seed: int = 0) -> list[np.ndarray]:
    """Indices of the notes in so many parts (fewer where there are fewer patients), each patient in one of them."""
    patients = sorted({note.patient for note in notes})
    part_of = np.random.default_rng(seed).permutation(len(patients)) % max(1, min(parts, len(patients)))
    number = dict(zip(patients, part_of.tolist(), strict=True))
    own = np.array([number[note.patient] for note in notes], dtype=int)
    return [np.flatnonzero(own == part) for part in range(own.max(initial=-1) + 1)]
