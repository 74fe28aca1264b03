"""A deny-list: identifiers known from elsewhere, such as a DICOM header, found in text that a machine has read.

What is looked for and the text are both reduced to letters and digits, look-alikes made one (0 and O, 1 and l), and
longer identifiers may differ in a character or two, for that is what recognition does to them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date

import numpy as np
import regex

_ALIKE = str.maketrans("oilszbgq|", "011528991")
_LEAST = 3  # letters and digits of what is looked for
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH_LIKE = r"\b[\p{L}\d]{5,9}\b"  # letters may have become digits
_BESIDE_NUMBER = regex.compile(rf"(?<=\d(?:st|nd|rd|th)?[ -]){_MONTH_LIKE}|{_MONTH_LIKE}(?=[ .-]{{1,2}}\d)")


def reduced(text: str) -> tuple[str, np.ndarray]:
    """Letters and digits of a text in one case, without accents, look-alikes made one; and where each of them stood."""
    kept: list[str] = []
    places: list[int] = []
    for place, ch in enumerate(text):
        for plain in unicodedata.normalize("NFKD", ch).casefold():
            if plain.isalnum() or plain == "|":
                kept.append(plain.translate(_ALIKE))
                places.append(place)
    return "".join(kept), np.array(places, dtype=np.int64)


def errors_allowed(length: int) -> int:
    """Characters that may be wrong: none in fewer than five, one in fewer than ten, else two."""
    return 0 if length < 5 else 1 if length < 10 else 2


def occurrences(text: str, identifiers: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Ranges of characters in which one of the identifiers stands, perhaps misread; each begins and ends with a word
    unless the identifier is long enough to be told inside of one."""
    shrunk, places = reduced(text)
    for needle in sorted({reduced(identifier)[0] for identifier in identifiers}):
        if len(needle) < _LEAST:
            continue
        wrong = errors_allowed(len(needle))
        pattern = regex.compile(f"(?b)(?:{regex.escape(needle)}){{e<={wrong}}}" if wrong else regex.escape(needle))
        for found in pattern.finditer(shrunk, overlapped=True):
            if found.end() == found.start():
                continue
            start, end = int(places[found.start()]), int(places[found.end() - 1]) + 1
            if len(needle) >= 8 or (_begins(text, start) and _ends(text, end)):
                yield start, end


def _begins(text: str, place: int) -> bool:
    return place == 0 or not text[place - 1].isalnum()


def _ends(text: str, place: int) -> bool:
    return place == len(text) or not text[place].isalnum()


def mended_months(text: str) -> str:
    """A text of the same length in which names of months with a letter or two misread, beside a number, are spelled
    right: "Septeiber 5th" is a date that neither rules nor models know."""

    def right(found: regex.Match[str]) -> str:
        word = found[0]
        for month in _FULL_MONTHS:
            wrong = sum(a != b for a, b in zip(word.casefold(), month, strict=False))
            if len(month) == len(word) >= 5 and wrong <= (2 if len(word) >= 8 else 1):
                return month.upper() if word.isupper() else month.capitalize()
        return word

    return _BESIDE_NUMBER.sub(right, text)


def name_forms(name: str) -> set[str]:
    """A person's name as it may be printed: each part of three letters or more, and parts of two together.

    Parts are what blanks, carets (DICOM), commas and hyphens separate.
    """
    parts = [part for part in regex.split(r"[\s^=,]+", name) if part]
    words = {word for part in parts for word in (part, *part.split("-")) if len(reduced(word)[0]) >= _LEAST}
    return words | {a + b for a in parts for b in parts if a != b}


def date_forms(day: date) -> set[str]:
    """A date in the orders, with the months in figures or words, in which it may be printed."""
    year, month, number = day.year, day.month, day.day
    forms = {f"{year}{month:02}{number:02}"}
    for shown_year in (f"{year}", f"{year % 100:02}"):
        for m in (f"{month}", f"{month:02}"):
            forms |= {f"{order}{shown_year}" for d in (f"{number}", f"{number:02}") for order in (m + d, d + m)}
        for m in (_MONTHS[month - 1], _FULL_MONTHS[month - 1]):
            for d in (f"{number}", f"{number:02}"):
                forms |= {f"{d}{m}{shown_year}", f"{m}{d}{shown_year}", f"{year}{m}{d}"}
    return {form for form in forms if len(form) >= 6}
