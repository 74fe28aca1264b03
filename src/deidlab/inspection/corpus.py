"""What is wrong with a corpus as a whole: ids, patients and labels."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from deidlab.inspection.findings import Finding
from deidlab.labels import OUTSIDE
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
        if not patient:
            if splits:
                yield Finding("no_patient", document.id, split=split)
        elif len(there := splits[patient]) > 1:
            told = ", ".join(f"{number} in {name or 'none'}" for name, number in sorted(there.items()))
            yield Finding("patient_across_splits", document.id, split=split, detail=f"notes of the patient: {told}")


def labels(documents: Placed, places: Mapping[str, str | None] | None, few: int) -> Iterator[Finding]:
    """Labels that vary another, that have no place among the types, or fewer than `few` mentions.

    `places` gives the type of each label, None for one without (as a whole None: types are not known).
    """
    counts = Counter(span.label for _, document in documents for span in document.spans)
    commonest: dict[str, str] = {}
    for label, number in counts.most_common():
        usual = commonest.setdefault(normalised(label).rstrip("S"), label)
        if usual != label:
            yield Finding("label_variant", label=label, detail=f"{number} mentions; {usual} has {counts[usual]}")
        if places is not None and places.get(label) is None:
            yield Finding("unknown_label", label=label, detail=f"{number} mentions")
        elif number < few:
            yield Finding("rare_label", label=label, detail=f"{number} mentions, fewer than {few}")


def absent(types: Iterable[str], reached: Collection[str | None]) -> Iterator[Finding]:
    """Types that no label of the notes reaches: nothing will be learnt of them, or said."""
    for kind in dict.fromkeys(types):
        if kind not in reached and kind != OUTSIDE:
            yield Finding("absent_type", label=kind)
