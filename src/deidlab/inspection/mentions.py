"""The same words in several places: labelled one way here and another there, or annotated here and not there.

What a label means is told by the taxonomy of identifiers; labels that it does not know are meant as they are named.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import regex

from deidlab.inspection.findings import Finding
from deidlab.redaction.consistency import propagate
from deidlab.redaction.policy import Policy
from deidlab.redaction.taxonomy import normalised, taxonomy
from deidlab.types import Document, Span

FEW = 10  # mentions of the same words from which a rare label for them is told of
RARE = 0.1  # the share of their mentions up to which it is
USUAL = 0.8  # the share of the places of a name that are annotated, from which the others are told of
_NAMED = ("NAME", "NOMBRE", "PERSON", "PACIENTE", "PATIENT", "DOCTOR")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")


@dataclass(frozen=True)
class Meanings:
    """What labels mean: a type of the taxonomy for each."""

    types: Mapping[str, str]

    @classmethod
    def of(cls, labels: Iterable[str], mapping: Mapping[str, str] | None = None) -> Meanings:
        """Of the labels of a corpus; `mapping` gives a known label to those of one's own."""
        return cls({label: _type_of(label, mapping or {}) for label in labels})

    def group(self, label: str) -> str:
        """The group of a label's type; a label that means nothing known is its own group."""
        kind = self.types[label]
        return label if kind == "OTHER" else taxonomy().group_of[kind]

    @property
    def policy(self) -> Policy:
        """These meanings for whoever looks names up by a policy."""
        return Policy(labels=self.types)


def _type_of(label: str, mapping: Mapping[str, str]) -> str:
    for name in (normalised(label), normalised(mapping.get(label, ""))):
        if name in taxonomy().type_of:
            return taxonomy().type_of[name]
    return "NAME" if any(part in normalised(label) for part in _NAMED) else "OTHER"


def unannotated_repeats(document: Document, meanings: Meanings) -> Iterator[Finding]:
    """Places where a name or a number stands that is annotated elsewhere in the note."""
    if not document.spans:
        return
    gold = set(document.spans)
    for span in propagate(document, sorted(gold), meanings.policy):
        if span not in gold and not any(span.start < other.end and other.start < span.end for other in gold):
            yield Finding("unannotated_repeat", document.id, span.start, span.end, span.label)


def inconsistent_labels(documents: Sequence[Document], meanings: Meanings) -> Iterator[Finding]:
    """Mentions whose label is not the one that the same words have nearly everywhere.

    Two people of one name are no inconsistency: within a group (names, locations) only mentions of one note count,
    and of names only whole ones.
    """
    places: dict[str, list[tuple[Document, Span]]] = defaultdict(list)
    for document in documents:
        for span in document.spans:
            words = _words(document.text, span)
            if len(key := " ".join(words)) > 2 and not key.isdecimal():
                places[key].append((document, span))
    for key, mentions in places.items():
        if len(counts := Counter(span.label for _, span in mentions)) > 1:
            yield from _across(mentions, counts, meanings)
            if " " in key:
                yield from _within(key, mentions, meanings)


def _across(mentions: Sequence[tuple[Document, Span]], counts: Counter[str], meanings: Meanings) -> Iterator[Finding]:
    usual, most = counts.most_common(1)[0]
    for document, span in mentions:
        rare = counts[span.label] <= RARE * len(mentions)
        if rare and len(mentions) >= FEW and meanings.group(span.label) != meanings.group(usual):
            yield _inconsistent(document, span, usual, most, len(mentions))


def _within(key: str, mentions: Sequence[tuple[Document, Span]], meanings: Meanings) -> Iterator[Finding]:
    by_note: dict[str, list[tuple[Document, Span]]] = defaultdict(list)
    for document, span in mentions:
        by_note[document.id].append((document, span))
    for here in by_note.values():
        counts = Counter(span.label for _, span in here)
        if len(counts) < 2 or _is_surname(key, here[0][0]):
            continue
        usual, most = counts.most_common(1)[0]
        for document, span in here:
            if (
                span.label != usual
                and most > counts[span.label]
                and meanings.group(span.label) == meanings.group(usual)
            ):
                yield _inconsistent(document, span, usual, most, len(here))


def _is_surname(key: str, document: Document) -> bool:
    """Whether the words are part of a longer name of the note: a family shares them."""
    names = (" ".join(_words(document.text, span)) for span in document.spans)
    return any(key in name and key != name for name in names)


def _inconsistent(document: Document, span: Span, usual: str, most: int, all_: int) -> Finding:
    detail = f"these words are {usual} in {most} of {all_} mentions"
    return Finding("inconsistent_label", document.id, span.start, span.end, span.label, detail=detail)


def annotated_elsewhere(documents: Sequence[Document], meanings: Meanings) -> Iterator[Finding]:
    """Places where a name of two words or more stands unannotated that is annotated nearly everywhere else."""
    known: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    notes: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for document in documents:
        for span in document.spans:
            words = tuple(_words(document.text, span))
            if len(words) > 1 and sum(map(len, words)) > 7 and meanings.group(span.label) in ("NAME", "LOCATION"):
                known[words][span.label] += 1
                notes[words].add(document.id)
    wanted = {words: labels for words, labels in known.items() if len(notes[words]) > 2 and labels.total() > 4}
    missing: dict[tuple[str, ...], list[Finding]] = defaultdict(list)
    for document in documents:
        for words, start, end in occurrences(document.text, wanted):
            if not any(start < span.end and span.start < end for span in document.spans):
                label = wanted[words].most_common(1)[0][0]
                missing[words].append(Finding("annotated_elsewhere", document.id, start, end, label))
    for words, findings in missing.items():
        if wanted[words].total() >= USUAL * (wanted[words].total() + len(findings)):
            yield from findings


def occurrences(text: str, wanted: Iterable[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Where sequences of words stand in a text, in any casing: the sequence, and its characters."""
    by_first: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for words in wanted:
        by_first[words[0]].append(words)
    there = [(found[0].casefold(), found.start(), found.end()) for found in _WORD.finditer(text)]
    for index, (word, start, _) in enumerate(there):
        for words in by_first.get(word, ()):
            here = there[index : index + len(words)]
            if tuple(w for w, _, _ in here) == words:
                yield words, start, here[-1][2]


def _words(text: str, span: Span) -> list[str]:
    return [found[0].casefold() for found in _WORD.finditer(text, span.start, span.end)]
