"""Spans as the tags of words, and the entities of tag sequences as seqeval's strict mode finds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from deidlab.labels import OUTSIDE, PREFIXES, Scheme
from deidlab.metrics.tables import SpanTable, TextTable
from deidlab.metrics.tokens import WordTable
from deidlab.types import DataError

# Roles of a word in an entity; a scheme writes them with its own prefixes (`deidlab.labels.PREFIXES`).
BEGIN, INSIDE, LAST, UNIT = range(4)


@dataclass(frozen=True, eq=False)
class TagTable:
    """Tags of the words of many documents, end to end: (words,) document, role, and label (-1 for outside, in both)."""

    document: np.ndarray
    role: np.ndarray
    label: np.ndarray
    documents: int
    labels: tuple[str, ...]

    @classmethod
    def of(cls, sequences: Iterable[Sequence[str]], labels: Sequence[str], scheme: Scheme) -> TagTable:
        """Read sequences of tags such as `B-NAME`; raises `DataError` for a tag that scheme and labels do not know."""
        sequences = list(sequences)
        # In BIO, B is both begin and unit: the first role that writes a prefix is its meaning.
        roles = {prefix: role for role, prefix in reversed(list(enumerate(PREFIXES[scheme])))}
        if scheme == "IO":
            roles = {"I": INSIDE}
        tags = [OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in roles)]
        ids = {tag: i for i, tag in enumerate(tags)}
        if unknown := set(chain.from_iterable(sequences)) - ids.keys():
            raise DataError(f"no tags of scheme {scheme} over the evaluated labels: {', '.join(sorted(unknown))}")
        codes = np.array([ids[tag] for tag in chain.from_iterable(sequences)], np.int64)
        role_of = np.array([-1, *(role for _ in labels for role in roles.values())])
        label_of = np.array([-1, *(i for i in range(len(labels)) for _ in roles)])
        document = np.repeat(np.arange(len(sequences)), [len(one) for one in sequences])
        return cls(document, role_of[codes], label_of[codes], len(sequences), tuple(labels))

    def sequences(self, scheme: Scheme) -> list[list[str]]:
        """The tags as text, one list per document."""
        prefixes = PREFIXES[scheme]
        names = [OUTSIDE, *(f"{prefix}-{label}" for label in self.labels for prefix in prefixes)]
        codes = np.where(self.label < 0, 0, 1 + 4 * self.label + self.role)
        cuts = np.searchsorted(self.document, np.arange(1, self.documents))
        return [[names[code] for code in one.tolist()] for one in np.split(codes, cuts)][: self.documents]


def tag_words(spans: SpanTable, texts: TextTable, words: WordTable, scheme: Scheme) -> TagTable:
    """The tags that `spans` give to words; a word belongs to one span at most (`WordTable.owners`)."""
    owner = words.owners(spans, texts)
    owned = owner >= 0
    first = owned & (owner != np.append(-1, owner[:-1]))
    final = owned & (owner != np.append(owner[1:], -1))
    match scheme:
        case "IO":
            role = np.full(len(owner), INSIDE)
        case "BIO":
            role = np.where(first, BEGIN, INSIDE)
        case "BIOES" | "BILOU":
            role = np.select([first & final, first, final], [UNIT, BEGIN, LAST], INSIDE)
    # Without any span, row -1 does not exist.
    label = np.where(owned, np.append(spans.label, -1)[owner], -1)
    return TagTable(words.document, np.where(owned, role, -1), label, spans.documents, spans.labels)


def entities(tags: TagTable, scheme: Scheme) -> SpanTable:
    """The well-formed entities of tag sequences; offsets are positions in the table.

    Equal to seqeval's `mode="strict"` (IOB2 for BIO, IOB1 without B for IO): an entity begins with a tag that may
    begin one, goes on while the tags continue it, and counts if its last tag may end one.
    """
    role, label = tags.role, tags.label
    linked = np.zeros(len(role), bool)
    linked[1:] = (label[1:] >= 0) & (label[1:] == label[:-1]) & (tags.document[1:] == tags.document[:-1])
    open_before = np.append(False, (role[:-1] == BEGIN) | (role[:-1] == INSIDE))[: len(role)]
    continues = linked & open_before & ((role == INSIDE) | (role == LAST))
    begins = role == INSIDE if scheme == "IO" else (role == BEGIN) | (role == UNIT)
    start = np.flatnonzero(begins & ~continues)
    breaks = np.append(np.flatnonzero(~continues), len(role))
    end = breaks[np.searchsorted(breaks, start, "right")]
    if scheme in ("BIOES", "BILOU"):
        ended = (role[end - 1] == LAST) | (role[end - 1] == UNIT)
        start, end = start[ended], end[ended]
    return SpanTable(tags.document[start], start, end, label[start], tags.documents, tags.labels)
