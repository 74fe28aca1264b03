"""Dates moved by a patient's own number of days, in the form they were written in.

A full date moves in the real calendar, so intervals between the full dates of a patient stay exact to the day. What is
said in part moves as the middle of what it says: a month of a year as its 15th, a year as its 2nd of July. A date
without a year (`3/4`, `March`) is taken in the year that brings it nearest to the full date said before it in the note
(else after it), and `the 4th` in the month of that date; 2001 stands in where a note says no year at all. Clock times
stay. What cannot be read moves nowhere: the caller masks it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from deidlab.redaction.date_reading import DateMention, read_dates, settle_order
from deidlab.redaction.keys import Draws
from deidlab.redaction.language import is_spanish
from deidlab.redaction.months import month_like, weekday_like
from deidlab.redaction.policy import DateSettings

_NO_YEAR = date(2001, 7, 2)
_BIRTH = re.compile(r"(?:\bd\.?o\.?b\b|birth|\bborn\b|nacimiento|\bnacid[oa]\b)[^\n]{0,12}\Z", re.IGNORECASE)


def shift_days(draws: Draws, settings: DateSettings) -> int:
    """By how many days the dates of this patient move: never 0, at most `settings.max_days` either way."""
    unit = 7 if settings.whole_weeks else 1
    most = settings.max_days // unit
    drawn = draws.below(2 * most, "date shift")
    return unit * (drawn - most if drawn < most else drawn - most + 1)


@dataclass(frozen=True, slots=True)
class DatedNote:
    """The dates of a note's spans: how they are read, and what dates without a year lean on."""

    text: str
    read: dict[tuple[int, int], tuple[DateMention, ...] | None]
    anchors: tuple[tuple[int, date], ...]  # (position, day) of the full dates, in order
    years: tuple[int, ...]
    language: str
    newest: int  # the latest year said anywhere, 0 where none is

    @classmethod
    def of(cls, text: str, spans: Sequence[tuple[int, int, str]], settings: DateSettings) -> DatedNote:
        """`spans` are (start, end, type). A date of birth is leaned on only where there is no other full date.

        A year of two digits is of the century before where it would lie in the future, a birth's where it would lie
        after the latest year that the note says in four.
        """
        spanish = is_spanish(text)
        order: str = settings.order
        if order == "auto":
            order = settle_order([text[start:end] for start, end, _ in spans], settings.ambiguous, spanish)
        read = {(start, end): read_dates(text, start, end, order, settings.pivot) for start, end, _ in spans}
        said_whole = [m.year for mentions in read.values() for m in mentions or () if m.says_year]
        for start, end, kind in spans:
            if mentions := read[start, end]:
                birth = kind == "DATE_OF_BIRTH" or bool(_BIRTH.search(text, max(0, start - 40), start))
                latest = max(said_whole, default=settings.reference_year) if birth else settings.reference_year
                read[start, end] = tuple(mention.not_after(latest) for mention in mentions)
        found = [
            (mention.start, date(mention.year, mention.month, mention.day), kind, mention.year)
            for start, end, kind in spans
            for mention in read[start, end] or ()
            if mention.full
        ]
        full = [(at, day) for at, day, kind, _ in found if kind != "DATE_OF_BIRTH"] or [f[:2] for f in found]
        years = [m.year for mentions in read.values() for m in mentions or () if m.year is not None]
        return cls(text, read, tuple(full), tuple(years), "es" if spanish else "en", max(years, default=0))

    def moved(self, start: int, end: int, days: int) -> str | None:
        """The span's text with its dates moved, or None where it cannot be read or leaves the calendar."""
        mentions = self.read[start, end]
        if mentions is None:
            return None
        edits: list[tuple[int, int, str]] = []
        try:
            for mention in mentions:
                edits += self._edits(mention, mentions, days)
        except (OverflowError, ValueError):
            return None
        pieces, at = [], start
        for first, last, new in edits:
            pieces += [self.text[at:first], new]
            at = last
        return "".join((*pieces, self.text[at:end]))

    def _edits(self, mention: DateMention, around: Sequence[DateMention], days: int) -> list[tuple[int, int, str]]:
        if mention.is_time:
            return []
        if mention.weekday is not None:
            (_, first, last), *_ = mention.fields
            return [(first, last, weekday_like(self.text[first:last], (mention.weekday + days) % 7))]
        old = self._day(mention, around)
        new = old + timedelta(days)
        until = None
        if mention.last_day is not None:
            until = old.replace(day=mention.last_day) + timedelta(days)
        padded = self._padded(around)
        return [
            (first, last, self._written(name, self.text[first:last], new, until, padded, mention))
            for name, first, last in mention.fields
        ]

    def _day(self, mention: DateMention, around: Sequence[DateMention]) -> date:
        """The day that a mention is moved as."""
        if mention.full:
            return date(mention.year, mention.month, mention.day)
        if mention.year is not None:
            return date(mention.year, mention.month or 7, mention.day or (15 if mention.month else 2))
        anchor = self._anchor(mention, around)
        if mention.month is None:
            return anchor.replace(day=mention.day)
        day = mention.day or 15
        leap = (mention.month, day) == (2, 29)
        years = range(anchor.year - (8 if leap else 1), anchor.year + (9 if leap else 2))
        possible = [date(year, mention.month, day) for year in years if not leap or _is_leap(year)]
        return min(possible, key=lambda candidate: abs(candidate - anchor))

    def _anchor(self, mention: DateMention, around: Sequence[DateMention]) -> date:
        beside = [m for m in around if m.year is not None and m is not mention]
        if beside:
            return self._day(min(beside, key=lambda m: abs(m.start - mention.start)), ())
        if self.anchors:
            before = bisect_left(self.anchors, mention.start, key=lambda anchor: anchor[0])
            return self.anchors[max(before - 1, 0)][1]
        if mention.month is None:
            raise ValueError("a day of no month")
        return date(self.years[0], 7, 2) if self.years else _NO_YEAR

    def _padded(self, mentions: Sequence[DateMention]) -> bool:
        """Whether numbers below 10 get a zero: as the span shows, or, where it does not, as dates in numbers do."""
        fields = [field for mention in mentions for field in mention.fields]
        numbers = [self.text[first:last] for name, first, last in fields if name in "md"]
        if any(number[0] == "0" for number in numbers):
            return True
        in_numbers = any(name == "m" for name, _, _ in fields)
        return in_numbers and all(len(number) == 2 for number in numbers)

    def _written(self, name: str, model: str, new: date, until: date | None, padded: bool, mention: DateMention) -> str:
        match name:
            case "Y":
                return f"{(until or new).year:04d}" if self._decade(mention) is None else f"{new.year // 10 * 10:04d}"
            case "y":
                return f"{(until or new).year % 100:02d}"
            case "m":
                return f"{new.month:02d}" if padded else str(new.month)
            case "B":
                day_first = until is not None and mention.fields[0][0] == "d"
                return month_like(model, (until if day_first else new).month, self.language)
            case "d":
                number = f"{new.day:02d}" if padded else str(new.day)
                if until is not None and mention.fields[0][0] == "d" and until.month != new.month:
                    ending = next((_ending(new.day) for field, _, _ in mention.fields if field == "D"), "")
                    month = self._month_name(mention, new)
                    return f"{number}{ending}{self._joint(mention)}{month}{_of_year(new, until, mention)}"
                alone = all(field != "D" for field, _, _ in mention.fields)
                return number + (_of_year(new, until, mention) if alone and mention.fields[0][0] == "B" else "")
            case "e":
                number = f"{until.day:02d}" if padded else str(until.day)
                apart = mention.fields[0][0] == "B" and until.month != new.month
                return f"{self._month_name(mention, until)} {number}" if apart else number
            case "D":
                parted = until is not None and until.month != new.month
                if parted and mention.fields[0][0] == "d":  # it stands before the month that has come between
                    return ""
                return _cased(model, _ending(new.day)) + _of_year(new, until, mention)
            case "E":
                return _cased(model, _ending(until.day))
        return model

    def _decade(self, mention: DateMention) -> str | None:
        return next((self.text[first:last] for name, first, last in mention.fields if name == "c"), None)

    def _joint(self, mention: DateMention) -> str:
        """What joins a day to its month's name: a blank, ` de ` or ` of `."""
        ends = {name: (first, last) for name, first, last in mention.fields}
        joint = self.text[ends.get("E", ends["e"])[1] : ends["B"][0]]
        return joint if joint.isspace() or joint.strip().isalpha() else " "

    def _month_name(self, mention: DateMention, day: date) -> str:
        model = next(self.text[first:last] for name, first, last in mention.fields if name == "B")
        return month_like(model, day.month, self.language)


def _of_year(new: date, until: date | None, mention: DateMention) -> str:
    """The first year of a range that now begins in one year and ends in the next."""
    ends_later = until is not None and mention.year is not None and new.year != until.year
    return f", {new.year:04d}" if ends_later else ""


def _ending(day: int) -> str:
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _cased(model: str, text: str) -> str:
    return text.upper() if model.isupper() else text


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
