"""What an inspection finds: a code, a place, and never the text there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

# fault: the data contradict themselves; suspicion: worth a look, may be right; note: good to know, nothing is wrong.
Severity = Literal["fault", "suspicion", "note"]

# What is found here. Faults that readers find have the names that they are counted by.
CODES: Mapping[str, tuple[Severity, str]] = {
    "blank_edge": ("suspicion", "begins or ends with a blank"),
    "punctuation_edge": ("suspicion", "begins or ends with punctuation that is no part of it"),
    "half_word": ("suspicion", "begins or ends inside a word or a number"),
    "two_labels": ("suspicion", "the same characters carry another label too"),
    "nested": ("suspicion", "lies inside another annotation"),
    "crossing": ("suspicion", "overlaps another annotation in part"),
    "very_long": ("suspicion", "is longer than identifiers are"),
    "spans_paragraphs": ("suspicion", "goes over an empty line"),
    "inconsistent_label": ("suspicion", "the same words nearly always carry another label"),
    "unannotated_repeat": ("suspicion", "repeats a name or number that is annotated elsewhere in the note"),
    "annotated_elsewhere": ("suspicion", "is not annotated here, and is in most other notes"),
    "likely_missed": ("suspicion", "is no annotation, and the system takes it for an identifier"),
    "discontinuous_span": ("suspicion", "is in pieces and left out: annotate each piece for itself"),
    "empty_document": ("suspicion", "the note has no text"),
    "no_annotations": ("note", "the note has no annotation"),
    "damaged_characters": ("suspicion", "characters of a wrong encoding, or replaced ones"),
    "control_characters": ("suspicion", "characters that no note should hold"),
    "duplicate_id": ("fault", "another note has the same id"),
    "duplicate": ("suspicion", "another note has the same text"),
    "duplicate_across_splits": ("fault", "a note of another split has the same text"),
    "near_duplicate": ("suspicion", "another note has nearly the same text"),
    "near_duplicate_across_splits": ("suspicion", "a note of another split has nearly the same text"),
    "patient_across_splits": ("fault", "the patient has notes in two splits"),
    "unknown_label": ("fault", "the label map or the label set has no place for the label"),
    "label_variant": ("suspicion", "another label differs only in how it is written"),
    "absent_type": ("note", "no mention of the type in any note"),
    "rare_label": ("note", "too few mentions to learn or to judge a type"),
    "no_patient": ("note", "nothing says which patient the note is of"),
}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something about a place of a corpus: characters `start` to `end` of a note, a whole note, or the corpus.

    `detail` says more, and never quotes the note.
    """

    code: str
    document_id: str = ""
    start: int = -1
    end: int = -1
    label: str = ""
    split: str = ""
    detail: str = ""

    @property
    def severity(self) -> Severity:
        return CODES[self.code][0] if self.code in CODES else "fault"

    @property
    def meaning(self) -> str:
        return CODES[self.code][1] if self.code in CODES else "what a reader could not take"

    def to_dict(self) -> dict[str, Any]:
        """As JSON; offsets only where there are any."""
        row = {"severity": self.severity, **asdict(self)}
        if self.start < 0:
            del row["start"], row["end"]
        return {key: value for key, value in row.items() if value != ""}
