"""A note and its spans in, a note that may be shared out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from functools import cached_property

from deidlab.redaction import masks
from deidlab.redaction.keys import check_key
from deidlab.redaction.note import Note
from deidlab.redaction.policy import STYLES, Policy
from deidlab.redaction.taxonomy import taxonomy
from deidlab.redaction.text import Redacted, check_spans, clusters, replace, united
from deidlab.types import ConfigError, Document, Span


@dataclass(frozen=True)
class Redactor:
    """Applies a policy; holds no state, so the same note gives the same bytes in any order and any process.

    `style` says what `redact` means and wins over the policy's own. `key` (bytes, 16 or more) is needed for surrogates
    and shifted dates, which are consistent for all notes with the same `meta[patient_key]`.
    Raises `ConfigError` for an unknown style and for a missing or weak key.
    """

    policy: Policy
    style: str | None = None
    key: bytes | None = field(default=None, repr=False)
    patient_key: str = "patient"

    def __post_init__(self) -> None:
        if self.style is not None and self.style not in STYLES:
            raise ConfigError(f"style {self.style!r} is none of {', '.join(STYLES)}")
        if self.policy.needs_key(self.style):
            check_key(self.key)

    def redact(self, document: Document, spans: Iterable[Span], names: Sequence[str] = ()) -> Redacted:
        """The document with these spans made safe by the policy, everything else byte for byte.

        Of overlapping spans the whole extent is made safe: by the action of the longest where it covers them all or
        they agree, else by a mask; a span that is kept never keeps what another one takes out. `names` are further
        names the patient is known by, which misspellings are held against.
        Raises `DataError` for spans that do not lie in the text, and for dates to shift without a patient.
        """
        ordered = check_spans(document, spans)
        for label in {span.label for span in ordered} - self._treatments.keys():
            self._treatments[label] = self.policy.type_of(label), self.policy.action_for(label, self.style)
        kept = [span for span in ordered if self._treatments[span.label][1] == "keep"]
        targets = [self._target(g) for g in clusters([s for s in ordered if self._treatments[s.label][1] != "keep"])]
        return with_kept(document, kept, self._replaced(document, targets, names))

    @cached_property
    def _treatments(self) -> dict[str, tuple[str, str]]:
        """Type and action of the labels met so far: what the policy says, looked up once."""
        return {}

    def _target(self, group: Sequence[Span]) -> tuple[Span, str, str]:
        """The extent of overlapping spans, its type, and what happens to it."""
        whole = united(group)
        kind, action = self._treatments[whole.label]
        if len(group) == 1:
            return whole, kind, action
        covered = any((s.start, s.end, s.label) == (whole.start, whole.end, whole.label) for s in group)
        treatments = [self._treatments[s.label] for s in group]
        said_alike = len({action for _, action in treatments}) == 1 and action in ("remove", "tag", "mask_same_length")
        if not covered and not said_alike and len({taxonomy().group_of[kind] for kind, _ in treatments}) > 1:
            action = "mask"
        return whole, kind, action

    def _replaced(self, document: Document, targets: Sequence[tuple[Span, str, str]], names: Sequence[str]) -> Redacted:
        patient = document.meta.get(self.patient_key)
        note = Note(document, targets, self.policy.dates, self.key, patient, tuple(names))
        numbers: dict[tuple[str, str], int] = {}
        replacements: list[str] = []
        fallbacks: list[tuple[str, str]] = []
        for span, kind, action in targets:
            new: str | None
            text = document.text[span.start : span.end]
            match action:
                case "mask_same_length":
                    new = masks.same_length(text)
                case "remove":
                    new = ""
                case "tag":
                    same = masks.word_for(kind), text.casefold()
                    new = masks.tag(kind, numbers.setdefault(same, len(numbers) + 1))
                case "mask":
                    new = masks.mask(kind)
                case _:
                    new = note.rewritten(span, kind, action)
                    if new is None:
                        fallbacks.append((span.label, f"{action} was not possible"))
                        new = masks.mask(kind)
            replacements.append(new)
        redacted = replace(document, [span for span, _, _ in targets], replacements)
        return changed(redacted, fallbacks=tuple(fallbacks))


def with_kept(document: Document, kept: Sequence[Span], redacted: Redacted) -> Redacted:
    """The annotations of spans that were kept, beside the others; one that lost a part to another span goes."""
    if not kept:
        return redacted
    edits = redacted.offsets.edits
    moved = []
    for span in kept:
        after = bisect_right(edits, span.start, key=lambda edit: edit[0] + edit[1])
        if after < len(edits) and edits[after][0] < span.end:
            continue
        start, end = redacted.offsets.span_to_new(span.start, span.end)
        moved.append(changed(span, start=start, end=end))
    return changed(redacted, spans=tuple(sorted((*redacted.spans, *moved))))
