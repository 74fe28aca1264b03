"""Whether a note is written in Spanish: enough to know the order of its dates and where its places lie."""

from __future__ import annotations

_SPANISH = frozenset(("de", "la", "el", "los", "las", "con", "por", "que", "un", "una", "del", "se", "paciente", "y"))
_ENGLISH = frozenset(("the", "of", "and", "with", "was", "for", "is", "in", "to", "at", "on", "patient", "a", "or"))
_SAMPLE = 3000


def is_spanish(text: str) -> bool:
    """By the commonest words of its beginning."""
    words = text[:_SAMPLE].lower().split()
    spanish = sum(word in _SPANISH for word in words)
    return spanish > 0 and spanish > sum(word in _ENGLISH for word in words)
