"""Reading dates: those that a stretch of text holds, field by field, or nothing when any of it stays unexplained."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from deidlab.redaction.months import MONTHS, WEEKDAYS

_MONTH = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")(?![^\W\d_])"
_WEEKDAY = "(?:" + "|".join(sorted(WEEKDAYS, key=len, reverse=True)) + r")(?![^\W\d_])"
_TO = r"(?:\s*[-–—/&]\s*|\s+(?:to|and|through|thru|y|al?|or)\s+)"
_TH = r"(?:\s?(?P<D>st|nd|rd|th)\b|[ºª°])?"
_OF = r"(?:\s*[,./-]?\s*(?:of|del?(?:\s+año)?|in)\s+|\s*[,./-]\s*|\s+)"
_YEAR4 = r"(?:1[89]|2[01])\d\d"
_END = r"(?![\d:]|[.,/]\d)"

# Group names are fields: Y year of four digits, y of two, m and d numbers, a and b numbers whose order is to be
# settled, B the month's name, D the ordinal's ending, e the second day of a range within a month, E its ending, W a
# weekday.
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<Y>{_YEAR4})(?P<s>[-/.])(?P<m>\d{{1,2}})(?P=s)(?P<d>\d{{1,2}})(?!\d)",
        r"(?P<a>\d{1,2})(?P<s>\s?[-/.]\s?)(?P<b>\d{1,2})(?P=s)'?(?:(?P<Y>\d{4})|(?P<y>\d\d))(?![\d:])",
        rf"(?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}})\s*,?\s+(?P<Y>{_YEAR4})(?!\d)",
        rf"(?P<Y>{_YEAR4})(?P<m>[01]\d)(?P<d>[0-3]\d)(?!\d)",
        rf"(?P<d>\d{{1,2}}){_TH}{_TO}(?P<e>\d{{1,2}})(?:\s?(?P<E>st|nd|rd|th)\b|º)?(?P<j>\s*(?:of\s+|de\s+)?)(?P<B>{_MONTH})"
        rf"(?:{_OF}(?P<Y>{_YEAR4})(?!\d))?",
        rf"(?P<B>{_MONTH})\.?\s*(?P<d>\d{{1,2}}){_TH}{_TO}(?P<e>\d{{1,2}})(?:\s?(?P<E>st|nd|rd|th)\b)?(?![\d/:-])"
        rf"(?:\s*,?\s*(?P<Y>{_YEAR4})(?!\d))?",
        rf"(?P<d>\d{{1,2}}){_TH}(?:\s*[-/.,]\s*|\s*(?:of|del?)\s+|\s*)(?P<B>{_MONTH})\.?"
        rf"(?:{_OF}'?(?:(?P<Y>{_YEAR4})|(?P<y>\d\d))(?![\d:])|(?P<Y2>{_YEAR4})(?!\d)|'?(?P<y2>\d\d)(?![\d:]))?",
        rf"(?P<B>{_MONTH})\.?[-/,\s]\s*'?(?:(?P<Y>{_YEAR4})(?!\d)|(?<=[-'])(?P<y>\d\d)(?![\d/-]))",
        # Apr-28-11 has a year; in Apr 28-29 the second number is a day
        rf"(?P<B>{_MONTH})\.?(?:(?P<s>\s*[-/]\s*)|\s+(?:the\s+)?|\s*)(?P<d>\d{{1,2}}){_TH}(?!\d)"
        rf"(?:(?:\s*,\s*|\s+of\s+|\s*[-/]\s*|\s+)'?"
        rf"(?:(?P<Y>{_YEAR4})(?!\d)|(?(s)|(?<![-/])(?<![-/]\s))(?P<y>\d\d)(?![\d:])))?",
        rf"(?P<B>{_MONTH})\.?{_OF}'?(?:(?P<Y>{_YEAR4})(?!\d)|(?<=')(?P<y>\d\d)(?!\d))",
        rf"(?P<Y>{_YEAR4})[-/\s](?P<B>{_MONTH})(?:[-/\s](?P<d>\d{{1,2}})(?!\d))?",
        rf"(?P<m>\d{{1,2}})[-/.](?P<Y>{_YEAR4})(?!\d)",
        rf"(?P<Y>{_YEAR4})[-/](?P<m>0\d|1[0-2])(?![\d])",
        rf"(?P<t>T?\d{{1,2}}[:h]\d\d(?::\d\d(?:[.,]\d+)?)?"
        rf"(?:\s?(?:[ap]\.?\s?m\b\.?|hrs?\b|h\b|horas\b|Z\b|[+-]\d\d:?\d\d))?){_END}",
        r"(?P<t>\d{1,2}\s?(?:[ap]\.?\s?m\b\.?|o'clock))",
        r"(?P<t>[0-2]\d[0-5]\d\s?(?:hrs?|hours|h|horas)\b)",
        rf"(?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}}){_END}",
        rf"(?P<Y>{_YEAR4})(?P<c>'?s)?(?!\d)",
        r"['’](?P<y>\d\d)(?!\d)",
        rf"(?P<B>{_MONTH})\.?",
        rf"(?P<W>{_WEEKDAY})s?\.?",
        r"(?P<d>\d{1,2})(?:\s?(?P<D>st|nd|rd|th)\b|[ºª])",
        r"(?<=the )(?P<d>\d{1,2})(?!\d)|(?<=el )(?P<d2>\d{1,2})(?!\d)|(?<=d[ií]a )(?P<d3>\d{1,2})(?!\d)",
    )
)
_FIELDS = {"Y2": "Y", "y2": "y", "d2": "d", "d3": "d"}
# What may stand between dates without telling anything about anyone.
_LITERAL = re.compile(
    r"[\s,;:.()\[\]/&–—~-]+|(?:of|the|on|at|to|and|or|through|thru|from|in|until|till|since|between|before|after|by|"
    r"around|about|approximately|circa|ca|early|late|mid|beginning|end|day|days|year|month|week|date|morning|afternoon|"
    r"evening|night|noon|del?|las?|los?|el|en|al?|[yeo]|año|mes|día|dia|fecha|hasta|desde|entre|hacia|principios|"
    r"mediados|finales|inicios|horas?|tarde|mañana|noche|UTC|GMT|[ECMP][SD]T|T)(?![^\W_])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class DateMention:
    """One date in a text: where its fields stand, and their values as far as they are said.

    `fields` are (name, start, end) in order, in offsets of the text that was read; a month's or day's number whose
    place was settled by the order has the name `m` or `d`.
    """

    start: int
    end: int
    fields: tuple[tuple[str, int, int], ...]
    year: int | None = None
    month: int | None = None
    day: int | None = None
    last_day: int | None = None
    weekday: int | None = None

    @property
    def full(self) -> bool:
        return self.year is not None and self.month is not None and self.day is not None

    @property
    def says_year(self) -> bool:
        """Whether the year is said in four digits."""
        return any(name == "Y" for name, _, _ in self.fields)

    def not_after(self, latest: int) -> DateMention:
        """The date, in the century before where a year of two digits was read as one after `latest`."""
        if self.year is None or self.says_year or self.year <= latest:
            return self
        earlier = self.year - 100
        return replace(self, year=earlier) if _possible(earlier, self.month, self.day, self.last_day) else self

    @property
    def is_time(self) -> bool:
        return self.fields[0][0] == "t"


def read_dates(text: str, start: int, end: int, order: str, pivot: int) -> tuple[DateMention, ...] | None:
    """The dates in `text[start:end]`; None when there is none, or when anything there is not understood.

    `order` (`mdy`, `dmy` or `mask`) reads numbers that could be either; numbers that can be read in one way only are
    read so. Two-digit years up to `pivot` are of the 2000s. Days that no calendar has are not understood.
    """
    mentions = []
    at = start
    while at < end:
        for pattern in _PATTERNS:  # which look ahead no further than the span
            if (found := pattern.match(text, at, end)) and (mention := _mention(found, order, pivot)):
                mentions.append(mention)
                at = found.end()
                break
        else:
            if not (found := _LITERAL.match(text, at, end)):
                return None
            at = found.end()
    return tuple(mentions) or None


def _mention(found: re.Match[str], order: str, pivot: int) -> DateMention | None:
    said = {name: (found.start(name), found.end(name)) for name, value in found.groupdict().items() if value}
    said = {_FIELDS.get(name, name): where for name, where in said.items()}
    if "a" in said:
        swapped = _settled(found, order, pivot)
        if swapped is None:
            return None
        for name, letter in zip("ab", swapped, strict=True):
            said[letter] = said.pop(name)
    number = {name: int(found.string[slice(*said[name])]) for name in "Yymde" if name in said}
    year = number.get("Y", century(number["y"], pivot) if "y" in number else None)
    if "B" in said and found["B"].casefold() not in MONTHS:  # letters that only look alike: Aprıl
        return None
    month = number.get("m", MONTHS[found["B"].casefold()].number if "B" in said else None)
    if not _possible(year, month, number.get("d"), number.get("e")):
        return None
    return DateMention(
        found.start(),
        found.end(),
        tuple(sorted(((name, *where) for name, where in said.items() if name not in "sj"), key=lambda f: f[1])),
        year,
        month,
        number.get("d"),
        number.get("e"),
        WEEKDAYS[found["W"].casefold()].number if "W" in said else None,
    )


def _settled(found: re.Match[str], order: str, pivot: int) -> str | None:
    """What the numbers a and b are: `md`, `dm`, or `my` where the second can be a year only."""
    groups = found.groupdict()
    a, b = int(groups["a"]), int(groups["b"])
    year = int(groups["Y"]) if groups.get("Y") else century(int(groups["y"]), pivot) if groups.get("y") else None
    readings = [way for way, m, d in (("md", a, b), ("dm", b, a)) if _possible(year, m, d, None)]
    if len(readings) == 2:
        return None if order == "mask" else order[:2] if order[:2] in readings else None
    if readings:
        return readings[0]
    return "my" if year is None and 1 <= a <= 12 and not 0 < b < 32 and len(groups["b"]) == 2 else None


def _possible(year: int | None, month: int | None, day: int | None, last: int | None) -> bool:
    if year is not None and not 1 < year < 9000:
        return False
    if month is not None and not 1 <= month <= 12:
        return False
    # 29 February is possible while the year is not known.
    longest = 31 if month is None else calendar.monthrange(2000 if year is None else year, month)[1]
    return all(number is None or 1 <= number <= longest for number in (day, last))


def century(year: int, pivot: int) -> int:
    """A year of four digits for one of two."""
    return year + (2000 if year <= pivot else 1900)


_NUMERIC = re.compile(r"(?<![\d/.-])(\d{1,2})([-/.])(\d{1,2})\2(?:\d{4}|\d{2})(?!\d)")


def settle_order(texts: Sequence[str], ambiguous: str, dmy_by_language: bool) -> str:
    """`mdy`, `dmy` or `mask` for a note: what those of its dates show that can be read in one way only.

    Where none does, a note in a language that writes the day first is read so; where they contradict each other
    or say nothing, `ambiguous` decides.
    """
    day_first = month_first = False
    for text in texts:
        for found in _NUMERIC.finditer(text):
            first, second = int(found[1]), int(found[3])
            day_first |= 12 < first <= 31 and second <= 12
            month_first |= 12 < second <= 31 and first <= 12
    if day_first != month_first:
        return "dmy" if day_first else "mdy"
    return "dmy" if dmy_by_language and not day_first else ambiguous
