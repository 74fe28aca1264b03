"""How far reviewers agree: F1 of their spans, as the field reports it, and Cohen's kappa over words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np

from deidlab.metrics.counts import ALL, FOUND, GOLD, PREDICTED, RIGHT
from deidlab.metrics.families import strict
from deidlab.metrics.matching import exact
from deidlab.metrics.rows import f1_of, number, ratio
from deidlab.metrics.tables import SpanTable, TextTable
from deidlab.metrics.tokens import WordTable
from deidlab.review.desk import Opinions
from deidlab.types import Document


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two reviewers on the notes that both have finished.

    `f1` is that of one's spans (offsets and type) against the other's, `kappa` Cohen's over words, each with the type
    of the span it is in or none; None where neither has marked anything. `different` are the notes, by id, on which
    they differ.
    """

    first: str
    second: str
    notes: int
    f1: float | None
    kappa: float | None
    different: tuple[str, ...]

    def to_dict(self) -> dict:
        return asdict(self)


def agreements(opinions: Opinions) -> list[Agreement]:
    """The agreement of every two reviewers who have finished notes in common."""
    finished = opinions.finished()
    found = []
    for pair in combinations(opinions.reviewers, 2):
        shared = [number for number, who in finished.items() if set(pair) <= set(who)]
        if shared:
            first, second = ([opinions.answer(number, who) for number in shared] for who in pair)
            found.append(agreement(*pair, first, second))
    return found


def agreement(first: str, second: str, mine: Sequence[Document], theirs: Sequence[Document]) -> Agreement:
    """The agreement of two reviewers on the same notes, in the same order."""
    labels = sorted({span.label for document in (*mine, *theirs) for span in document.spans})
    tables = [SpanTable.of((d.spans for d in side), labels) for side in (mine, theirs)]
    counts = strict(exact(*tables)).total()[ALL].astype(float)
    f1 = f1_of(ratio(counts[[RIGHT]], counts[[PREDICTED]]), ratio(counts[[FOUND]], counts[[GOLD]]))[0]
    different = tuple(a.id for a, b in zip(mine, theirs, strict=True) if a.spans != b.spans)
    return Agreement(first, second, len(mine), number(f1), _word_kappa(mine, *tables), different)


def _word_kappa(documents: Sequence[Document], *tables: SpanTable) -> float | None:
    texts = TextTable.of(document.text for document in documents)
    words = WordTable.of(texts)
    types = []
    for table in tables:
        owner = words.owners(table, texts)
        # The appended -1 is the type of words without an owner.
        types.append(np.append(table.label, -1)[owner])
    return kappa(*types)


def kappa(first: Iterable[int], second: Iterable[int]) -> float | None:
    """Cohen's kappa of two ratings of the same items (Cohen 1960), None where chance alone agrees fully."""
    first, second = np.asarray(first), np.asarray(second)
    kinds = np.unique(np.concatenate((first, second)))
    if len(kinds) < 2:
        return None
    observed = float(np.mean(first == second))
    by_chance = float(sum(np.mean(first == kind) * np.mean(second == kind) for kind in kinds))
    return (observed - by_chance) / (1 - by_chance)
