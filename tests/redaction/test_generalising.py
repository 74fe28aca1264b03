"""Values said less exactly, as Safe Harbor allows."""

import pytest

from deidlab.redaction.date_shift import DatedNote
from deidlab.redaction.generalising import RESTRICTED_ZIP3, age, years, zip3
from deidlab.redaction.policy import DateSettings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("89", "89"), ("90", "90+"), ("92-year-old", "90+-year-old"), ("102yo", "90+yo"), ("45 y.o.", "45 y.o."),
        ("ninety-two", "90+"), ("ninety", "90+"), ("one hundred and two", "90+"), ("eighty-nine", "eighty-nine"),
        ("in her 90s", "in her 90+"), ("late 80s", "late 80s"), ("nineties", "90+"), ("88-92", "88-90+"),
        ("53 años", "53 años"), ("noventa y dos años", "90+ años"), ("93 meses", "93 meses"), 
        ("trece años", "trece años"), ("9 month", "9 month"),
        ("100 days old", "100 days old"), ("92 (dob 8/3)", None), ("John", None), ("", None), ("92 and Smith", None),
    ],
)  # fmt: skip
def test_ages_of_ninety_and_more_are_taken_together(text, expected):
    assert age(text, 0, len(text)) == expected


def test_the_unit_may_stand_behind_the_span():
    text = "a 95 day old boy"
    assert age(text, 2, 4) == "95"
    assert age("a 95 year old man", 2, 4) == "90+"
    for short in ("95 mo old", "95 days old", "95-day-old", "95 months", "95 hours"):
        assert age(short, 0, 2) == "95"


@pytest.mark.parametrize(
    "behind",
    [
        " do not resuscitate", " DO NOT INTUBATE", " MO, 63101", "\nDay 2", "\ndays in hospital: 3",
        "  Hours of sleep", " days in hospital", " Day 3",
    ],
)  # fmt: skip
def test_a_word_that_begins_like_a_unit_is_none(behind):
    assert age(f"95{behind}", 0, 2) == "90+"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("02139", "021"), ("02139-1234", "021"), ("03601", "000"), ("89301", "000"), ("LS1 4AB", None), ("0213", None)],
)
def test_zip_codes(text, expected):
    assert zip3(text) == expected


def test_the_restricted_areas_are_the_seventeen_of_the_guidance():
    assert len(RESTRICTED_ZIP3) == 17


def said(*dates: tuple[str, str]) -> list[str | None]:
    text = " ".join(date for date, _ in dates)
    spans, at = [], 0
    for shown, kind in dates:
        spans.append((at, at + len(shown), kind))
        at += len(shown) + 1
    settings = DateSettings(reference_year=2026)
    note = DatedNote.of(text, spans, settings)
    return [years(note, a, b, kind == "DATE_OF_BIRTH", settings) for a, b, kind in spans]


def test_dates_keep_their_year():
    assert said(("3/4/2014", "DATE"), ("May 5 '13", "DATE"), ("12/30/13-1/4/14", "DATE"), ("2010", "DATE")) == [
        "2014", "2013", "2013-2014", "2010"]  # fmt: skip


def test_a_date_without_a_year_or_without_sense_keeps_nothing():
    assert said(("3/4", "DATE"), ("March", "DATE"), ("Christmas", "DATE"), ("31 Feb 2014", "DATE")) == [None] * 4


def test_a_year_of_two_digits_lies_in_the_past():
    assert said(("03/04/38", "DATE"), ("05/06/2014", "DATE"), ("05/06/1947", "DATE")) == ["1938", "2014", "1947"]
    assert said(("03/04/22", "DATE_OF_BIRTH"), ("05/06/2014", "DATE")) == [None, "2014"], "92 years old"
    assert said(("03/04/12", "DATE_OF_BIRTH"), ("05/06/2014", "DATE")) == ["2012", "2014"]
    assert said(("3/4/14", "DATE"), ("1998", "DATE")) == ["2014", "1998"], "a year said in full may be long ago"


def test_a_year_that_tells_of_ninety_years_is_kept_by_nobody():
    assert said(("3/4/1920", "DATE"), ("3/4/2014", "DATE")) == [None, "2014"]
    assert said(("3/4/1930", "DATE"), ("3/4/2014", "DATE")) == ["1930", "2014"]
    assert said(("3/4/1930", "DATE_OF_BIRTH")) == [None]
    assert said(("3/4/1950", "DATE_OF_BIRTH")) == ["1950"]
