"""Identifiers of a note by rules alone: no model, no training, nothing but patterns and word lists."""

from __future__ import annotations

from collections.abc import Collection

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


def find(text: str, yielding: Collection[str] = ()) -> tuple[Span, ...]:
    """Spans in the i2b2 2014 vocabulary (`pattern.VOCABULARY`), sorted, not overlapping, without scores.

    Where they overlap, labels in `yielding` lose to all others (`deidlab.merging.union`).
    """
    return union([tuple(rule.find(text)) for rule in RULES], yielding).spans
