"""Whether a note is written in Spanish: enough to know the order of its dates and where its places lie."""

from __future__ import annotations

import re

_SPANISH = re.compile(r"\b(?:de|la|el|los|las|con|por|que|una?|del|se|paciente)\b", re.IGNORECASE)
_ENGLISH = re.compile(r"\b(?:the|of|and|with|was|for|is|in|to|at|on|patient)\b", re.IGNORECASE)
_SAMPLE = 4000


def is_spanish(text: str) -> bool:
    """By the commonest words of its beginning."""
    sample = text[:_SAMPLE]
    spanish = len(_SPANISH.findall(sample))
    return spanish > 0 and spanish > len(_ENGLISH.findall(sample))
