"""Identifiers of a note by rules alone: no model, no training, nothing but patterns and word lists."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import replace

import regex

from deidlab.merging import union
from deidlab.rules import ages, contacts, dates, numbers, people, places
from deidlab.rules.pattern import Rule
from deidlab.types import Span

# Where two rules find overlapping identifiers, the label is that of the longer one, of equals that of the earlier rule:
# Dr. Israel is a doctor.
RULES: tuple[Rule, ...] = (
    *contacts.RULES,
    *numbers.RULES,
    *dates.RULES,
    *places.RULES,
    *people.RULES,
    *places.COUNTRIES,
    *ages.RULES,
)
TYPES: tuple[str, ...] = tuple(dict.fromkeys(label for rule in RULES for label in rule.pattern.groupindex))

_CLUSTER = regex.compile(r"\P{M}\p{M}*|\p{M}+", regex.DOTALL)


def find(text: str, yielding: Collection[str] = ()) -> tuple[Span, ...]:
    """Spans in the i2b2 2014 vocabulary (`pattern.VOCABULARY`), sorted, not overlapping, without scores.

    Where they overlap, labels in `yielding` lose to all others (`deidlab.merging.union`).
    """
    if unicodedata.is_normalized("NFC", text):
        return union([tuple(rule.find(text)) for rule in RULES], yielding).spans
    composed, places = composition(text)
    spans = union([tuple(rule.find(composed)) for rule in RULES], yielding).spans
    return tuple(replace(span, start=places[span.start], end=places[span.end]) for span in spans)


def composition(text: str) -> tuple[str, list[int]]:
    """The text with letters and their accents as one character (NFC), and where each of its borders lies in `text`.

    Patterns know letters; some systems write é as an e and a mark.
    """
    pieces, places = [], []
    for cluster in _CLUSTER.finditer(text):
        piece = unicodedata.normalize("NFC", cluster[0])
        pieces.append(piece)
        places += [cluster.start(), *[cluster.end()] * (len(piece) - 1)]
    return "".join(pieces), [*places, len(text)]
