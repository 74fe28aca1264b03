"""Calendar dates and clock times as notes write them."""

from __future__ import annotations

from datetime import date, timedelta

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_SHORT = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

# Shapes of a date: m and d are numbers, mm and dd two digits, D is 4th, Y and y the year, B and b the month.
MONTH_FIRST = ("m/d/Y", "mm/dd/Y", "m/d/y", "mm/dd/y", "mm-dd-Y", "m-d-y")
DAY_FIRST = ("d/m/Y", "dd/mm/Y", "dd/mm/y", "dd.mm.Y", "d-m-Y")
NEUTRAL = ("Y-mm-dd", "dd-b-Y", "d b Y", "B d, Y", "B d Y", "d B Y", "b d, Y", "B D, Y", "D B Y", "ddbY", "b. d, Y")


def shape_date(day: date, shape: str) -> str:
    """A date in one of the shapes above."""
    values = {
        "m": str(day.month), "mm": f"{day.month:02d}", "d": str(day.day), "dd": f"{day.day:02d}", "D": ordinal(day.day),
        "Y": f"{day.year:04d}", "y": f"{day.year % 100:02d}", "B": MONTHS[day.month - 1], "b": _SHORT[day.month - 1],
    }  # fmt: skip
    out, i = [], 0
    while i < len(shape):
        token = shape[i : i + 2] if shape[i : i + 2] in ("mm", "dd") else shape[i]
        out.append(values.get(token, token))
        i += len(token)
    return "".join(out)


def ordinal(n: int) -> str:
    """`1st`, `2nd`, `11th`, `23rd`."""
    return f"{n}{'th' if 10 < n % 100 < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


def number_words(n: int) -> str:
    """A number below 1000 in words: `forty-five`, `one hundred two`."""
    if n < 20:
        return _WORDS[n]
    if n < 100:
        return _TENS[n // 10] + (f"-{_WORDS[n % 10]}" if n % 10 else "")
    return f"{_WORDS[n // 100]} hundred" + (f" {number_words(n % 100)}" if n % 100 else "")


def years_before(day: date, years: int, extra_days: int = 0) -> date:
    """The same day `years` earlier, and `extra_days` before that."""
    return day - timedelta(days=round(years * 365.25) + extra_days)
