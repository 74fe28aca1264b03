"""Offsets in UTF-16 code units, as Java, JavaScript and Windows count, and offsets in characters, as we do.

A character beyond U+FFFF (an emoji, most historic scripts) is one character and two code units.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate


def is_plain(text: str) -> bool:
    """Whether both ways of counting agree on the text."""
    return text.isascii() or max(text) < "\U00010000"


def units_of(text: str) -> Callable[[int], int]:
    """Character offset -> code units before it."""
    if is_plain(text):
        return int
    return [0, *accumulate(2 if character > "\uffff" else 1 for character in text)].__getitem__


def characters_of(text: str) -> Callable[[int], int | None]:
    """Offset in code units -> characters before it; None between the halves of one character.

    An offset outside the text stays as far outside, so that whoever checks it says so.
    """
    if is_plain(text):
        return int
    units = [0, *accumulate(2 if character > "\uffff" else 1 for character in text)]
    characters = {unit: index for index, unit in enumerate(units)}

    def character(unit: int) -> int | None:
        return characters.get(unit) if 0 <= unit <= units[-1] else unit if unit < 0 else len(text) + unit - units[-1]

    return character
