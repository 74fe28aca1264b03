"""Identifiers said less exactly, as HIPAA Safe Harbor allows: the year of a date, 90+, three digits of a ZIP code.

Each function gives None where it cannot be sure; the caller masks.
"""

from __future__ import annotations

import re

from deidlab.redaction.date_shift import DatedNote
from deidlab.redaction.policy import DateSettings

TOP_AGE = 90
# Three-digit ZIP code areas of at most 20,000 people, which must be given as 000: HHS Office for Civil Rights, Guidance
# on De-identification (26 November 2012), from the Census of 2000.
RESTRICTED_ZIP3 = frozenset(
    ("036", "059", "063", "102", "203", "556", "692", "790", "821", "823", "830", "831", "878", "879", "884", "890",
     "893")
)  # fmt: skip
_ZIP = re.compile(r"(\d{3})\d{2}(?:[-\s]?\d{4})?")


def zip3(text: str) -> str | None:
    """The first three digits of a ZIP code, 000 where few people live; None for what is no ZIP code."""
    found = _ZIP.fullmatch(text.strip())
    if not found:
        return None
    return "000" if found[1] in RESTRICTED_ZIP3 else found[1]


def years(note: DatedNote, start: int, end: int, is_birth: bool, settings: DateSettings) -> str | None:
    """The years of a span's dates, `2014` or `2013-2014`, in the order in which they are said.

    None where the span says no year, or one more than 89 years before the latest of the note (of
    `settings.reference_year` where a birth is the only date): that year would tell of an age of 90 or more.
    """
    said = [m.year for m in note.read[start, end] or () if m.year is not None]
    latest = note.newest if note.newest > max(said, default=0) else None
    if latest is None:
        # Nothing later is said: a year that is not of a birth is the year of the note.
        latest = settings.reference_year if is_birth else max(said, default=0)
        if said and settings.reference_year - max(said) >= TOP_AGE:
            return None
    if not said or latest - min(said) >= TOP_AGE:
        return None
    return "-".join(dict.fromkeys(f"{year:04d}" for year in said))


_NINETIES = r"ninety(?:[\s-]+(?:one|two|three|four|five|six|seven|eight|nine))?|nineties"
_HUNDREDS = r"(?:one[\s-]+|a[\s-]+)?hundred(?:[\s-]+(?:and[\s-]+)?\w+)?"
_SPANISH = r"noventa(?:\s+y\s+\w+)?|ciento?(?:\s+\w+)?"
_NUMBER_WORDS = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    "eighteen|nineteen|teens|half|(?:twent|thirt|fort|fift|sixt|sevent|eight)(?:y|ies)|"
    "un[oa]?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|quince|dieci\\w+|veint[ei]\\w*|"
    "treinta|cuarenta|cincuenta|sesenta|setenta|ochenta"
)
_CLEAR_UNITS = r"months?|mos|m\.o\.|weeks?|wks?|w\.o\.|days?|d\.o\.|hours?|hrs?|mes(?:es)?|semanas?|d[ií]as?|horas?"
_SHORT_UNITS = rf"{_CLEAR_UNITS}|m\.?o\.?|w\.?o\.?|d\.?o\.?"
_AGE = re.compile(
    r"(?P<number>\d+(?:[.,]\d+)?)(?:'?s(?![^\W\d_]))?"
    rf"|(?P<old>(?:{_HUNDREDS}|{_NINETIES}|{_SPANISH})(?![^\W_]))"
    rf"|(?P<word>(?:{_NUMBER_WORDS})(?![^\W_]))"
    r"|(?P<unit>(?:years?|yrs?|y[./]?\s?o\.?|yo|y|años?|anos?)(?![^\W_]))"
    rf"|(?P<short>(?:{_SHORT_UNITS})(?![^\W_]))"
    r"|[\s,.;:/()~<>=+–-]+|(?:old|of|age[ds]?|edad|de|and|y|to|a|late|early|mid|about|almost|nearly|over|the|in|her|his|"
    r"their|o|year|aged|at|approximately|male|female)(?![^\W_])",
    re.IGNORECASE,
)
# Behind the span "do" is a word (95 do not resuscitate), "MO" a State, and "Days in hospital" the next field.
_SHORT_AFTER = re.compile(rf"[ \t-]?(?:{_CLEAR_UNITS}|mo)(?![^\W_]|\.?[ \t]*\d|[ \t]+(?:in|since|of)\b)")


def age(text: str, start: int, end: int) -> str | None:
    """The span's text with every age of 90 years or more as `90+`; months, weeks and days stay.

    None where any part of it is not understood: that one number is below 90 does not make the rest harmless.
    """
    pieces: list[str] = []
    at, short, numbers = start, bool(_SHORT_AFTER.match(text, end)), 0
    words = list(_AGE.finditer(text, start, end))
    short = short or any(m["short"] for m in words)
    years_too = any(m["unit"] for m in words)
    while at < end:
        found = _AGE.match(text, at, end)
        if not found:
            return None
        new = found[0]
        if found["number"]:
            numbers += 1
            value = float(found["number"].replace(",", "."))
            if value >= TOP_AGE and (not short or years_too):
                new = f"{TOP_AGE}+"
        elif found["old"]:
            numbers += 1
            new = f"{TOP_AGE}+"
        elif found["word"]:
            numbers += 1
        pieces.append(new)
        at = found.end()
    return "".join(pieces).replace("++", "+") if numbers else None
