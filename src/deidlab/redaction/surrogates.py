"""Hide in plain sight: for each identifier another one of the same type and form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

import regex

from deidlab.redaction.codes import bare, exchanged_address, exchanged_code
from deidlab.redaction.handles import exchanged_handle
from deidlab.redaction.keys import Draws
from deidlab.redaction.language import is_spanish
from deidlab.redaction.name_lists import folded
from deidlab.redaction.name_surrogates import People
from deidlab.redaction.places import exchanged_place, exchanged_profession, generic
from deidlab.redaction.taxonomy import taxonomy
from deidlab.types import Document, Span

_WORDS = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’](?!s\b)[\p{L}\p{M}\p{N}]+)*")
_MALE = frozenset(("he", "his", "him", "man", "male", "gentleman", "mr.", "varón", "hombre"))
_FEMALE = frozenset(("she", "her", "hers", "woman", "female", "lady", "mrs.", "ms.", "mujer"))
_CODES = frozenset(
    [
        "PHONE",
        "FAX",
        "SSN",
        "NATIONAL_ID",
        "MRN",
        "HEALTH_PLAN",
        "ACCOUNT",
        "LICENSE",
        "VEHICLE",
        "DEVICE",
        "BIOMETRIC",
        "ID",
        "SECRET",
    ]
)
_NUMBERED = frozenset(("ID", "PHONE", "CONTACT"))  # of label sets where these are any way to reach or number someone


@dataclass(frozen=True)
class Surrogates:
    """The surrogates of a note; `spans` are all that leave it, with their types."""

    document: Document
    spans: Sequence[tuple[Span, str]]
    draws: Draws = field(repr=False)
    names: tuple[str, ...] = field(default=(), repr=False)

    def of(self, span: Span, kind: str) -> str | None:
        """Another identifier for this span; None where there is no good one."""
        text = self.document.text[span.start : span.end]
        group = taxonomy().group_of[kind]
        if group == "NAME" and kind != "USERNAME":
            return self.people.surrogate(span.start, span.end)
        if kind in ("USERNAME", "EMAIL", "URL") or (kind in _NUMBERED and ("@" in text or "www." in text.lower())):
            return exchanged_handle(text, self.people)
        if kind == "IP":
            return exchanged_address(text, self.draws)
        if kind in _CODES or kind == "CONTACT":
            return exchanged_code(text, self.draws, self._codes)
        if group == "LOCATION":
            return exchanged_place(text, kind, self.draws, self._spanish, self._words)
        if kind == "PROFESSION":
            return exchanged_profession(text, self.draws, self._spanish, self._words)
        return None

    @cached_property
    def people(self) -> People:
        group_of = taxonomy().group_of
        named = [(s, kind) for s, kind in self.spans if group_of[kind] == "NAME" and kind != "USERNAME"]
        gender = cache(self._gender)
        return People.of(self.document.text, named, self.draws, self._words, self.names, gender, self._spanish)

    @cached_property
    def _spanish(self) -> bool:
        return is_spanish(self.document.text)

    @cached_property
    def _words(self) -> frozenset[str]:
        """Every telling word of every identifier of the note: no surrogate may be one of them."""
        text = self.document.text
        found = {folded(w[0]) for s, _ in self.spans for w in _WORDS.finditer(text, s.start, s.end)}
        found |= {folded(w[0]) for name in self.names for w in _WORDS.finditer(name)}
        return frozenset(found - generic()["words"])

    @cached_property
    def _codes(self) -> frozenset[str]:
        return frozenset(bare(self.document.text[s.start : s.end]) for s, kind in self.spans if kind in _CODES)

    def _gender(self) -> str | None:
        """The patient's: as the metadata say, else as most words of the note that show one."""
        told = str(self.document.meta.get("gender") or self.document.meta.get("sex") or "").lower()
        if told[:1] in ("f", "m"):
            return "female" if told[0] == "f" else "male"
        words = self.document.text.lower().split()
        female, male = sum(word in _FEMALE for word in words), sum(word in _MALE for word in words)
        return None if female == male else "female" if female > male else "male"
