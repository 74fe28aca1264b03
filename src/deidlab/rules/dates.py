"""Dates as clinicians write them, in English and Spanish; a time of day or a duration is none."""

from __future__ import annotations

import regex

from deidlab.rules.pattern import Rule, rule
from deidlab.rules.words import WORDS

MONTH_STEMS = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|J[AU][NL]|FEB|MA[RY]|A[PU][RG]|SEP|OCT|NOV|DEC)"
DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
YEAR = r"(?:19|20)\d\d"
DAY = r"(?:3[01]|[12]\d|0?[1-9])"
MONTH = r"(?:1[0-2]|0?[1-9])"
# What follows does not go on with a number or a word; it may follow a field's name (DOS:3/4/14) or end a range.
NUMBER_BEFORE = r"(?:(?<![\d\p{L}][.,/-]|\d:)|(?<=[/.]\d{2,4}-))(?<![\p{L}\d/.])"
NUMBER_AFTER = r"(?!\d|(?!T\d\d:)\p{L}|/\d|-\d(?!\d?[/.]\d{1,2}[/.]\d)|[.,]\d)"


def is_calendar_day(match: regex.Match) -> bool:
    """Whether two numbers can be a day and a month, in either order."""
    one, other = int(match["one"]), int(match["other"])
    return any(1 <= month <= 12 and 1 <= day <= DAYS_IN_MONTH[month - 1] for day, month in ((one, other), (other, one)))


# Named groups are types, so that the two numbers of a date are found again in the match's text.
_NUMBERS = regex.compile(r"(?P<one>\d+)\D+(?P<other>\d+)")


def has_calendar_day(match: regex.Match) -> bool:
    found = _NUMBERS.search(match["DATE"])
    return found is not None and is_calendar_day(found)


RULES: tuple[Rule, ...] = (
    rule(
        "numeric date",
        NUMBER_BEFORE
        + r"(?P<DATE>\d{1,2}([/.-])\d{1,2}\2(?:"
        + YEAR
        + r"|\d\d))"
        # 10-12-14 is as often a range or a phone as a date
        + NUMBER_AFTER,
        has_calendar_day,
    ),
    rule("ISO date", NUMBER_BEFORE + r"(?P<DATE>" + YEAR + r"([/.-])" + MONTH + r"\2" + DAY + r")(?![\d]|[/-]\d)"),
    rule("month and year in numbers", NUMBER_BEFORE + r"(?P<DATE>" + MONTH + r"/" + YEAR + r")" + NUMBER_AFTER),
    rule(
        # "3/19" alone may be a score: a preposition or the like makes it a date.
        "day and month in numbers",
        r"(?<!\p{L})(?:on|since|until|till|thru|through|dated?|seen|from|before|after|due|starting|effective|"
        r"d/c'?d|adm|"
        r"DOS|DOB)␣{1,3}(?P<DATE>\d{1,2}/\d{1,2})(?!\d|/|[.,]\d|␣?(?:%|mg|mL|pain|strength|motor|"
        r"(?:holo)?systolic|diastolic|murmur|tab(?:let)?s?|occasions|times)\b|␣?%)",
        has_calendar_day,
        cased=False,
    ),
    rule(
        "month with a day or a year",
        r"(?<![\p{L}\d])(?P<DATE>(?:" + DAY + r"(?:st|nd|rd|th)?(?:␣|-|/)(?:of )?)?(?:\L<months>|"
        r"\L<capitals>)\.?(?:␣{1,2}|-|/|,)(?:of )?(?:"
        + DAY
        + r"(?:st|nd|rd|th)?(?:,?␣{0,2}(?:of )?"
        + YEAR
        + r")?|,?␣?"
        + YEAR
        + r"|['’]\d\d|(?<=-)\d\d))(?![\p{L}\d]|\.\d|/\d|:\d|␣?(?:mg|tablets?|tabs?|caps|puffs|times|days?|"
        r"weeks?|months?|hours?)\b)",
        near=MONTH_STEMS,
        months=WORDS["months"],
        capitals=[month.upper() for month in WORDS["months"]],
    ),
    rule(
        # march 4, 2014; 04MAR2014: a day and a year make a month of any casing
        "month in any casing between a day and a year",
        r"(?<![\p{L}\d])(?P<DATE>(?:\L<months>)\.?␣{1,2}"
        + DAY
        + r"(?:st|nd|rd|th)?,?␣{1,2}"
        + YEAR
        + r"|"
        + DAY
        + r"(?:st|nd|rd|th)?[ -]?(?:of )?(?:\L<months>)\.?,?[ -]?"
        + YEAR
        + r")(?!\d)",
        near=YEAR,
        cased=False,
        months=WORDS["months"],
    ),
    rule(
        "day before month",
        r"(?<![\p{L}\d/.])(?P<DATE>" + DAY + r"(?:st|nd|rd|th)?(?:␣|-)(?:of )?(?:\L<months>))"
        r"(?![\p{L}\d-])(?!\.?,?␣?\d)",
        near=MONTH_STEMS,
        months=[month for month in WORDS["months"] if month != "May"],
    ),
    rule(
        "month alone",
        r"(?<!\p{L})(?:[Ii]n|[Ss]ince|[Ll]ast|[Tt]his past|[Uu]ntil|[Bb]y|[Ee]arly|[Ll]ate|[Mm]id)"
        r"[ -](?P<DATE>\L<months>)"
        r"(?![\p{L}\d-])(?!\.?␣?\d)",
        near=MONTH_STEMS,
        months=[month for month in WORDS["months"] if len(month) > 4 or month in ("May", "June", "July")],
    ),
    rule(
        "fecha",
        r"(?<![\p{L}\d])(?P<DATE>(?:" + DAY + r"␣{1,2}(?:de␣{1,2})?|" + DAY + r"-)?\L<meses>"
        r"(?:-|,?␣{1,2}(?:del?␣{1,2})?(?:año )?)" + YEAR + r")(?!\d)",
        near=YEAR,
        cased=False,
        meses=WORDS["meses"],
    ),
    rule(
        "día y mes",
        r"(?<![\p{L}\d])(?<!(?:Hospital|Universitario) )(?<![\"“'])(?P<DATE>"
        + DAY
        + r" de \L<meses>)(?!\p{L})(?! (?:del?|\d))",
        near=r"\d de ",
        cased=False,
        meses=WORDS["meses"],
    ),
    rule(
        "year",
        r"(?<!\p{L})(?:in|since|born|until|circa|back in|early|late|mid|spring|summer|fall|winter|autumn|desde|hasta|"
        r"en|from|"
        r"of)(?: of| el)?[ -](?P<DATE>(?:año )?" + YEAR + r")(?![\d\p{L}/-]|[.,]\d|␣?(?:mg|ml|cc|mcg|g|units?|steps|"
        r"cal|kcal|h|hours|ui|u|x|%|cells|casos|pacientes|patients|cases)\b)",
        near=YEAR,
        cased=False,
    ),
    rule(
        "date of birth in digits",
        r"(?<!\p{L})(?:DOB|D\.O\.B\.|date of birth|fecha de nacimiento)"
        r"[ \t:]{1,4}(?P<DATE>[\d]{1,2}[ ./-]?[\d]{1,2}[ ./-]?"
        r"(?:" + YEAR + r"|\d\d))(?![\d/]|␣/)",
        cased=False,
    ),
    rule(
        "holiday",
        r"(?<!\p{L})(?P<DATE>\L<holidays>)(?![\p{L}])(?! (?:disease|factor|tree))"
        r"",
        holidays=WORDS["holidays"],
    ),
)
