"""Notes as a defender gives them out: what was found is a surrogate, what was missed stands there as it was.

Nothing made here leaves a run, so its keys are drawn from the seed: the same settings give the same release.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from deidlab.redaction import masks
from deidlab.redaction.policy import Policy
from deidlab.redaction.redactor import Redactor
from deidlab.redaction.text import Redacted, clusters, united
from deidlab.types import Document, Span

Fate = Literal["replaced", "partly", "leaked"]
HIDING = frozenset(("surrogate", "shift"))  # a mask shows itself, and what is kept or generalised hides nothing


@dataclass(frozen=True, slots=True)
class Released:
    """A released note, annotated as a person would who cannot tell surrogates from what leaked.

    `note.spans` are all apparent identifiers; `fates[i]` says what became of the i-th: `replaced` by a surrogate,
    `leaked` as it was, or `partly`: some letters or digits of it can still be read. `masked` counts what was found and
    had no surrogate: its mask hides nothing among others.
    """

    note: Document
    fates: tuple[Fate, ...]
    masked: int = 0


def surrogates_by(policy: str, seed: int, number: int = 0) -> Redactor:
    """A redactor that hides in plain sight by `policy` (a preset or a file), its key drawn from `seed` and `number`."""
    key = hashlib.sha256(f"attack {seed} {number}".encode()).digest()
    return Redactor(Policy.load(policy), "surrogate", key)


def with_patient(document: Document) -> Document:
    """The document with a patient of its own where none is known: dates move by patient."""
    if document.meta.get("patient"):
        return document
    return replace(document, meta={**document.meta, "patient": document.id})


def release(document: Document, found: Iterable[Span], redactor: Redactor) -> Released:
    """What a defender who found these spans gives out of a document with gold spans.

    Apparent identifiers are the surrogates (also of what was no identifier) and the gold spans of which a letter or
    digit can still be read; those that overlap are one. Types that the policy keeps, generalises or masks are not
    hidden and do not take part; neither does a mask in the place of what has no surrogate.
    """
    document = with_patient(document)
    redacted = redactor.redact(document, found)
    gone, new = changes(document.text, redacted)
    hidden = [span for span in redacted.spans if hides(redactor, span.label)]
    surrogates = [span for span in hidden if not is_mask(redactor, redacted.text, span)]
    leaks = {
        replace(span, start=start, end=end)
        for span in document.spans
        if hides(redactor, span.label) and readable(document.text, span, gone)
        for start, end in [redacted.offsets.span_to_new(span.start, span.end)]
    }
    apparent: list[Span] = []
    fates: list[Fate] = []
    for group in clusters(sorted({*surrogates, *leaks})):
        apparent.append(replace(united(group), score=None))
        leaked = not leaks.isdisjoint(group)
        altered = any(s.start < end and start < s.end for s in group for start, end in new)
        fates.append("replaced" if not leaked else "partly" if altered else "leaked")
    note = Document(document.id, redacted.text, tuple(apparent), document.meta)
    return Released(note, tuple(fates), len(hidden) - len(surrogates))


def hides(redactor: Redactor, label: str) -> bool:
    return redactor.policy.action_for(label, redactor.style) in HIDING


def is_mask(redactor: Redactor, text: str, span: Span) -> bool:
    return text[span.start : span.end] == masks.mask(redactor.policy.type_of(span.label))


def changes(text: str, redacted: Redacted) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Stretches of the old text that stand there no more, and those of the new one in their places.

    What was replaced by itself (an age of 54) still stands there.
    """
    edits = zip(redacted.offsets.edits, redacted.offsets.inverted().edits, strict=True)
    places = [((old, old + before), (new, new + after)) for (old, before, after), (new, _, _) in edits]
    altered = [(old, new) for old, new in places if text[slice(*old)] != redacted.text[slice(*new)]]
    return [old for old, _ in altered], [new for _, new in altered]


def readable(text: str, span: Span, covered: Iterable[tuple[int, int]]) -> bool:
    """Is a letter or digit of the span outside of the covered stretches?"""
    left = set(range(span.start, span.end)).difference(
        *(range(max(a, span.start), min(b, span.end)) for a, b in covered if a < span.end and span.start < b)
    )
    return any(text[i].isalnum() for i in left)
