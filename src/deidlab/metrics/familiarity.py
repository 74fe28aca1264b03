"""How familiar a name is from training: seen as a whole, known word by word, or new."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal

import regex

from deidlab.types import Document

Familiarity = Literal["whole", "words", "new"]
LEVELS: tuple[Familiarity, ...] = ("whole", "words", "new")
# Letters with their marks, an apostrophe or a hyphen inside; single letters are initials and say nothing.
WORD = regex.compile(r"\p{L}[\p{L}\p{M}]+(?:['’-][\p{L}\p{M}]+)*")


@dataclass(frozen=True)
class KnownNames:
    """Names of training notes, case-folded: their whole surface forms, and the words of these. Prints neither."""

    whole: frozenset[str] = field(repr=False)
    words: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, documents: Iterable[Document], names: Collection[str]) -> KnownNames:
        """From the gold spans whose label is among `names`."""
        whole = {folded(d.text[s.start : s.end]) for d in documents for s in d.spans if s.label in names}
        return cls(frozenset(whole), frozenset(word for name in whole for word in WORD.findall(name)))

    def familiarity(self, surface: str) -> Familiarity:
        """`whole` if training has this surface form, `words` if it has every word of it, else `new`."""
        name = folded(surface)
        if name in self.whole:
            return "whole"
        words = WORD.findall(name)
        return "words" if words and self.words.issuperset(words) else "new"


def folded(surface: str) -> str:
    return " ".join(surface.casefold().split())
