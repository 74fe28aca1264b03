"""An inspection of annotated notes: read, counted, and looked through for what is likely wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deidlab.corpora.label_maps import guess
from deidlab.corpora.reading import Reading, sources, tool_of
from deidlab.inspection import corpus, duplicates, mentions, spans, texts
from deidlab.inspection.findings import CODES, Finding
from deidlab.inspection.ledger import PlacedLosses
from deidlab.inspection.lengths import Lengths, measured
from deidlab.inspection.misses import likely_missed
from deidlab.labels import LabelSet
from deidlab.types import DataError, Document

if TYPE_CHECKING:
    from deidlab.encoding import Encoder
    from deidlab.evaluation import System

Row = dict[str, Any]
_ORDER = {"fault": 0, "suspicion": 1, "note": 2}


@dataclass(frozen=True)
class Inspection:
    """What an inspection says; nothing in it is text of a note, `documents` apart, which no view but one shows."""

    formats: tuple[str, ...]
    labels: list[Row]
    lengths: list[Lengths]
    alignment: list[Row]  # spans that whole words, or the subwords of a model, cannot represent
    losses: list[Row]  # what reading counted
    findings: list[Finding]
    splits: Mapping[str, int]
    documents: Mapping[tuple[str, str], Document] = field(repr=False)  # by split and id, where there are no two of one

    def number(self, *severities: str) -> int:
        """How many findings have one of the severities."""
        return sum(finding.severity in severities for finding in self.findings)

    def by_code(self) -> list[Row]:
        """How often each code was found, in how many notes; what is worst first."""
        found: dict[str, list[Finding]] = defaultdict(list)
        for finding in self.findings:
            found[finding.code].append(finding)
        rows = [
            {
                "code": code,
                "severity": same[0].severity,
                "count": len(same),
                "notes": len({(finding.split, finding.document_id) for finding in same} - {("", "")}),
                "meaning": same[0].meaning,
            }
            for code, same in found.items()
        ]
        return sorted(rows, key=lambda row: (_ORDER[row["severity"]], -row["count"], row["code"]))

    def to_dict(self) -> Row:
        """As JSON."""
        return {
            "formats": list(self.formats),
            "notes": sum(self.splits.values()),
            "splits": dict(self.splits),
            "labels": self.labels,
            "lengths": [lengths.to_dict() for lengths in self.lengths],
            "alignment": self.alignment,
            "reading": self.losses,
            "codes": self.by_code(),
            "findings": [finding.to_dict() for finding in self.findings],
        }


def inspect(
    path: str | Path,
    reading: Reading,
    *,
    encoder: Encoder | None = None,
    systems: Sequence[System] = (),
    labels: LabelSet | None = None,
    mapping: Mapping[str, str] | None = None,
    few: int = 5,
) -> Inspection:
    """Inspect all notes below a path.

    `labels` or a label map (`mapping`) say which types there are; `few` is the number of mentions below which a label
    is called rare. `systems` tell of likely misses. Raises `DataError` where nothing can be read.
    """
    ledger = PlacedLosses()
    placed, formats = _read(path, reading, ledger)
    documents = [document for _, document in placed]
    if not documents:
        first = f": {ledger.findings[0].detail}" if ledger.findings else ""
        raise DataError(f"{path} holds no note that could be read{first}")
    counts = Counter(span.label for document in documents for span in document.spans)
    places = _places(counts, labels, mapping)
    types = (*(mapping or {}).values(), *(labels.types if labels and not mapping else ()))
    meanings = mentions.Meanings.of(counts, {label: kind for label, kind in (places or {}).items() if kind})
    lengths, unrepresented = measured(documents, encoder)
    findings = [
        *ledger.findings,
        *_looked_through(placed, meanings, systems),
        *duplicates.duplicates(placed),
        *corpus.doubled_ids(placed),
        *corpus.patients_across_splits(placed),
        *corpus.labels(placed, places, few),
        *corpus.absent(types, set((places or {}).values())),
    ]
    return Inspection(
        formats,
        _label_rows(placed),
        lengths,
        unrepresented.rows(),
        ledger.rows(),
        sorted(findings, key=lambda f: (_ORDER[f.severity], list(CODES).index(f.code) if f.code in CODES else -1, f)),
        Counter(split for split, _ in placed),
        _by_place(placed),
    )


def _places(
    counts: Iterable[str], labels: LabelSet | None, mapping: Mapping[str, str] | None
) -> dict[str, str | None] | None:
    """The type of each label by the map, or the one that it surely is in the label set; None where neither is given."""
    if mapping is not None:
        return {label: mapping.get(label) for label in counts}
    return {label: guess(label, labels).type for label in counts} if labels is not None else None


def _read(
    path: str | Path, reading: Reading, ledger: PlacedLosses
) -> tuple[list[tuple[str, Document]], tuple[str, ...]]:
    placed: list[tuple[str, Document]] = []
    formats: dict[str, None] = {}  # a set in order
    for source in sources(path, reading.form):
        ledger.split = source.split or ""
        formats[tool_of(source)] = None
        placed += [(ledger.split, document) for document in reading.documents(source.path, source.form, ledger)]
    return placed, tuple(formats)


def _by_place(placed: Sequence[tuple[str, Document]]) -> dict[tuple[str, str], Document]:
    """The notes by split and id; of two in one place none, lest a finding be shown in the other's text."""
    number = Counter((split, document.id) for split, document in placed)
    return {(split, document.id): document for split, document in placed if number[split, document.id] == 1}


def _looked_through(
    placed: Sequence[tuple[str, Document]], meanings: mentions.Meanings, systems: Iterable[System]
) -> Iterator[Finding]:
    """Findings in the text of notes and in their annotations, where notes of several splits may share an id."""
    owners: dict[str, tuple[str, str]] = {}
    documents = []
    for split, document in placed:
        name = document.id
        while name in owners:
            name += f" ({split})"
        owners[name] = split, document.id
        documents.append(replace(document, id=name))
    for finding in _in_notes(documents, meanings, systems):
        split, document_id = owners[finding.document_id]
        yield replace(finding, split=split, document_id=document_id)


def _in_notes(
    documents: Sequence[Document], meanings: mentions.Meanings, systems: Iterable[System]
) -> Iterator[Finding]:
    for document in documents:
        yield from texts.suspicious(document)
        yield from spans.suspicious(document, meanings)
        yield from mentions.unannotated_repeats(document, meanings)
    yield from mentions.inconsistent_labels(documents, meanings)
    yield from mentions.annotated_elsewhere(documents, meanings)
    for system in systems:
        yield from likely_missed(documents, system)


def _label_rows(placed: Iterable[tuple[str, Document]]) -> list[Row]:
    """Of each label: its mentions by split, the notes it occurs in, and how many different words it covers."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    notes: dict[str, set[str]] = defaultdict(set)
    words: dict[str, set[str]] = defaultdict(set)
    for split, document in placed:
        for span in document.spans:
            counts[span.label][split] += 1
            notes[span.label].add(f"{split}\0{document.id}")
            words[span.label].add(document.text[span.start : span.end].casefold())
    return [
        {"label": label, "mentions": n.total(), **({"splits": dict(n)} if set(n) - {""} else {}),
         "notes": len(notes[label]), "different": len(words[label])}
        for label, n in sorted(counts.items(), key=lambda item: (-item[1].total(), item[0]))
    ]  # fmt: skip
