"""A note being rewritten: what its surrogates, dates and ages lean on, each part made when first needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from deidlab.redaction import generalising
from deidlab.redaction.date_shift import DatedNote, shift_days
from deidlab.redaction.keys import Draws, check_key
from deidlab.redaction.policy import SHIFTED, DateSettings
from deidlab.redaction.surrogates import Surrogates
from deidlab.types import DataError, Document, Span


@dataclass(frozen=True)
class Note:
    """The spans of a document with their types and actions; `patient` is None where the patient is not known."""

    document: Document
    targets: Sequence[tuple[Span, str, str]]
    settings: DateSettings
    key: bytes | None = field(repr=False)
    patient: str | None = field(repr=False)
    names: tuple[str, ...] = field(repr=False)

    def rewritten(self, span: Span, kind: str, action: str) -> str | None:
        """What stands in a span's place under `shift`, `generalise` or `surrogate`; None where nothing good can."""
        if kind in SHIFTED and action in ("shift", "surrogate"):
            return self.dated.moved(span.start, span.end, self.days)
        if action == "generalise" or kind == "AGE":
            return self._generalised(span, kind)
        return self.surrogates.of(span, kind)

    def _generalised(self, span: Span, kind: str) -> str | None:
        match kind:
            case "AGE":
                return generalising.age(self.document.text, span.start, span.end)
            case "ZIP":
                return generalising.zip3(self.document.text[span.start : span.end])
            case _:
                birth = kind == "DATE_OF_BIRTH"
                return generalising.years(self.dated, span.start, span.end, birth, self.settings)

    @cached_property
    def dated(self) -> DatedNote:
        spans = [(span.start, span.end, kind) for span, kind, _ in self.targets if kind in SHIFTED]
        return DatedNote.of(self.document.text, spans, self.settings)

    @cached_property
    def days(self) -> int:
        if not self.patient:
            raise DataError(
                f"document {self.document.id}: dates are shifted by patient, and whose note this is is not known; "
                "name its patient, or choose another action for dates"
            )
        return shift_days(Draws(check_key(self.key), str(self.patient)), self.settings)

    @cached_property
    def surrogates(self) -> Surrogates:
        # Without a patient a note stands for itself: consistent inside, and unlinked to others.
        whose = f"patient {self.patient}" if self.patient else f"text {self.document.fingerprint}"
        spans = [(span, kind) for span, kind, _ in self.targets]
        return Surrogates(self.document, spans, Draws(check_key(self.key), whose), self.names)
