"""What a synthetic corpus is like: sizes, labels, lexical diversity, and what its splits share.

Overlap is measured on the finished notes, whatever the generator intended.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from deidlab.synthesis.vocabulary import NAMES, PART_NAMES
from deidlab.types import Document

_WORD = re.compile(r"\w+|[^\w\s]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_DIGITS = re.compile(r"\d+")
NAME_LABELS = frozenset((*NAMES, *PART_NAMES))


def skeleton(document: Document) -> str:
    """The text with each identifier replaced by its label in angle brackets, and each number by 0."""
    out, at = [], 0
    for span in document.spans:
        out += [_DIGITS.sub("0", document.text[at : span.start]), f"<{span.label}>"]
        at = span.end
    return "".join(out) + _DIGITS.sub("0", document.text[at:])


def sentences(document: Document) -> Iterator[str]:
    """Sentences of the skeleton of at least five words: what templates look like from outside."""
    for sentence in _SENTENCE.split(skeleton(document)):
        if len(sentence.split()) >= 5:
            yield sentence.strip()


@dataclass
class Statistics:
    """Counts over documents, fed one by one; constant in nothing but what it must remember to compare."""

    documents: int = 0
    words: int = 0
    tokens: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    fourgrams: set[int] = field(default_factory=set)
    bodies: set[int] = field(default_factory=set)
    sentences: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    identifiers: set[tuple[str, str]] = field(default_factory=set)

    def add(self, document: Document, lexical: bool = True) -> None:
        """Count a document; `lexical` False spares the 4-grams."""
        self.documents += 1
        self.words += len(document.text.split())
        if lexical:
            tokens = _WORD.findall(document.text.lower())
            self.tokens += len(tokens)
            self.fourgrams.update(hash(tuple(tokens[i : i + 4])) for i in range(len(tokens) - 3))
        self.bodies.add(hash(skeleton(document)))
        self.sentences.update(sentences(document))
        self.cells[document.meta.get("culture", "-"), document.meta.get("gender", "-")] += 1
        self.types[document.meta.get("note_type", "-")] += 1
        for span in document.spans:
            value = document.text[span.start : span.end].casefold()
            self.labels[span.label] += 1
            if span.label in NAME_LABELS:
                self.names.update(w for w in re.split(r"[^\w'-]+", value) if len(w) > 2)
            else:
                self.identifiers.add((span.label, value))

    @classmethod
    def of(cls, documents: Iterable[Document], lexical: bool = True) -> Statistics:
        statistics = cls()
        for document in documents:
            statistics.add(document, lexical)
        return statistics

    def summary(self) -> dict[str, float]:
        """Documents, words a note, distinct 4-grams per 1,000 tokens, share of bodies that are like no other."""
        return {
            "documents": self.documents,
            "words_per_note": round(self.words / max(1, self.documents), 1),
            "tokens": self.tokens,
            "distinct_4grams_per_1000_tokens": round(1000 * len(self.fourgrams) / max(1, self.tokens), 1),
            "distinct_bodies": len(self.bodies),
            "distinct_sentence_skeletons": len(self.sentences),
        }


# What no generator can keep apart: dates, ages and hours are few, and whoever writes them writes the same.
_FEW = frozenset(
    ("age", "age_over_89", "date", "year", "time", "date_time", "date_of_birth", "state", "country", "room")
)


def overlap(train: Statistics, held_out: Statistics) -> Mapping[str, float]:
    """Shares of the held-out split's words of names, other identifiers and sentence skeletons that train has too."""

    def share(mine: set, theirs: set) -> float:
        return round(len(mine & theirs) / max(1, len(mine)), 4)

    return {
        "names": share(held_out.names, train.names),
        "identifiers": share(
            {i for i in held_out.identifiers if i[0] not in _FEW}, {i for i in train.identifiers if i[0] not in _FEW}
        ),
        "sentences": share(held_out.sentences, train.sentences),
        "bodies": share(held_out.bodies, train.bodies),
    }
