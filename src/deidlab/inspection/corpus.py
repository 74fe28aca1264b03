"""What is wrong with a corpus as a whole: ids, patients and labels."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence

from deidlab.inspection.findings import Finding
from deidlab.redaction.taxonomy import normalised
from deidlab.types import Document

Placed = Sequence[tuple[str, Document]]  # (split, note)


def doubled_ids(documents: Placed) -> Iterator[Finding]:
    """Each note whose id an earlier one has."""
    seen: dict[str, str] = {}
    for split, document in documents:
        if document.id in seen:
            place = f"in {seen[document.id]}" if seen[document.id] else "before it"
            yield Finding("duplicate_id", document.id, split=split, detail=f"the other is {place}")
        seen.setdefault(document.id, split)


def patients_across_splits(documents: Placed) -> Iterator[Finding]:
    """Each note of a patient who has notes in another split; and that notes have no patient, where some have."""
    splits: dict[str, Counter[str]] = defaultdict(Counter)
    for split, document in documents:
        if patient := document.meta.get("patient"):
            splits[patient][split] += 1
    for split, document in documents:
        patient = document.meta.get("patient")
        if patient is None:
            if splits:
                yield Finding("no_patient", document.id, split=split)
        elif len(there := splits[patient]) > 1:
            told = ", ".join(f"{number} in {name or 'none'}" for name, number in sorted(there.items()))
            yield Finding("patient_across_splits", document.id, split=split, detail=f"notes of the patient: {told}")


def labels(documents: Placed, known: Collection[str] | None, few: int) -> Iterator[Finding]:
    """Labels that vary another, that `known` does not have (None: all are known), or with fewer than `few` mentions."""
    counts = Counter(span.label for _, document in documents for span in document.spans)
    commonest: dict[str, str] = {}
    for label, number in counts.most_common():
        usual = commonest.setdefault(normalised(label).rstrip("S"), label)
        if usual != label:
            yield Finding("label_variant", label=label, detail=f"{number} mentions; {usual} has {counts[usual]}")
        if known is not None and label not in known:
            yield Finding("unknown_label", label=label, detail=f"{number} mentions")
        elif number < few:
            yield Finding("rare_label", label=label, detail=f"{number} mentions, fewer than {few}")
