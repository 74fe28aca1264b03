"""Dates of a patient move together, in the real calendar and in the form they had."""

import random
from datetime import date, timedelta

import pytest

from deidlab.redaction.date_shift import DatedNote, shift_days
from deidlab.redaction.keys import Draws
from deidlab.redaction.policy import DateSettings

KEY = b"correct horse battery"
SETTINGS = DateSettings()


def moved(days: int, *parts: str | tuple[str, str], **settings) -> list[str | None]:
    """Texts of dates, given as (text, type), moved; plain strings lie between them."""
    text, spans = "", []
    for part in parts:
        shown, kind = part if isinstance(part, tuple) else (part, None)
        if kind:
            spans.append((len(text), len(text) + len(shown), kind))
        text += shown
    note = DatedNote.of(text, spans, DateSettings(**settings))
    return [note.moved(start, end, days) for start, end, _ in spans]


def one(text: str, days: int, **settings) -> str | None:
    return moved(days, (text, "DATE"), **settings)[0]


@pytest.mark.parametrize(
    ("text", "days", "expected"),
    [
        ("2/28/2012", 1, "2/29/2012"),
        ("2/28/2013", 1, "3/1/2013"),
        ("02/28/00", 1, "02/29/00"),
        ("12/31/99", 1, "01/01/00"),
        ("17/06/2016", 20, "07/07/2016"),
        ("2014-12-31T23:59:00Z", 1, "2015-01-01T23:59:00Z"),
        ("20140228", 1, "20140301"),
        ("MARCH 3RD", 1, "MARCH 4TH"),
        ("January 31st, 2014", 1, "February 1st, 2014"),
        ("Sept. 30, 2014", 1, "Oct. 1, 2014"),
        ("31 de enero de 2014", 1, "1 de febrero de 2014"),
        ("30-abr-2014", 1, "1-may-2014"),
        ("05MAR2012", 30, "04APR2012"),
        ("March '19", 31, "April '19"),
        ("March", 31, "April"),
        ("12/2014", 31, "01/2015"),
        ("2014", 364, "2015"),
        ("1990s", 364, "1990s"),
        ("Tuesday 3/4/2014 10:30 am", 1, "Wednesday 3/5/2014 10:30 am"),
        ("Tue", 9, "Thu"),
        ("March 4-9, 2014", 7, "March 11-16, 2014"),
        ("March 28-30, 2014", 4, "April 1-3, 2014"),
        ("March 28-30, 2014", 3, "March 31-April 2, 2014"),
        ("December 30-31, 2014", 1, "December 31, 2014-January 1, 2015"),
        ("28-30 de marzo de 2014", 3, "31 de marzo-2 de abril de 2014"),
        ("12/30-1/4/14", 5, "1/4-1/9/14"),
        ("1430 hrs", 5, "1430 hrs"),
    ],
)
def test_form_padding_and_calendar(text, days, expected):
    assert one(text, days) == expected


@pytest.mark.parametrize(
    ("text", "days", "expected"),
    [
        ("Jan 1st and 2nd, 2012", 150, "May 30th and 31st, 2012"),
        ("1st-3rd May", -1, "30th April-2nd May"),
        ("May 30th-31st", 2, "June 1st-2nd"),
        ("Dec 30th-31st, 2010", 1, "Dec 31st, 2010-Jan 1st, 2011"),
        ("Apr-28-11", 5, "May-3-11"),
    ],
)
def test_the_endings_of_days_move_with_them(text, days, expected):
    assert one(text, days) == expected


@pytest.mark.parametrize("text", ["Feb 28-29, 2011", "Aprıl 3, 2012"])
def test_days_and_months_that_are_none_are_not_read_as_others(text):
    assert one(text, 3) is None


def test_numbers_are_padded_as_the_span_shows():
    assert one("03/14/2012", -9) == "03/05/2012"
    assert one("3/14/2012", -9) == "3/5/2012"
    assert one("12/14/2012", -9) == "12/05/2012"


def test_a_date_without_a_year_is_taken_in_the_year_nearest_to_the_dates_of_the_note():
    shifted = moved(2, "On ", ("1/5/2013", "DATE"), ", ill since ", ("12/30", "DATE"), ", then ", ("2/27", "DATE"))
    assert shifted == ["1/7/2013", "01/01", "3/1"]  # 2013 has no 29 February
    assert moved(2, ("1/5/2012", "DATE"), " and ", ("2/27", "DATE"))[1] == "2/29"
    assert moved(1, ("1/5/2013", "DATE"), " and ", ("2/29", "DATE"))[1] == "3/1"


def test_a_day_alone_belongs_to_the_month_said_before_it_and_is_masked_where_none_is():
    assert moved(3, ("3/27/2014", "DATE"), " until ", ("the 30th", "DATE"))[1] == "the 2nd"
    assert one("the 30th", 3) is None


def test_a_birth_is_not_what_other_dates_lean_on():
    born, seen, later = moved(1, ("2/1/1952", "DATE_OF_BIRTH"), ("3/3/2013", "DATE"), " ", ("2/28", "DATE"))
    assert (born, seen, later) == ("2/2/1952", "3/4/2013", "3/1")


def test_the_order_of_numbers_is_the_note_s():
    assert moved(1, ("17/06/2016", "DATE"), " ", ("03/04/2016", "DATE"))[1] == "04/04/2016"
    assert moved(30, ("6/17/2016", "DATE"), " ", ("03/04/2016", "DATE"))[1] == "04/03/2016"
    assert one("03/04/2016", 1, ambiguous="mask") is None
    assert one("03/04/2016", 30, order="dmy") == "03/05/2016"


@pytest.mark.parametrize("text", ["Christmas", "31 Feb 2012", "2/29/2013", "3/4/2014 Smith"])
def test_what_cannot_be_read_is_not_passed_through(text):
    assert one(text, 3) is None


def test_a_date_that_leaves_the_calendar_is_not_passed_through():
    assert one("1/5/0002", -30000) is None


@pytest.mark.parametrize("whole_weeks", [True, False])
def test_shifts_are_never_nothing_and_stay_in_bounds(whole_weeks):
    settings = DateSettings(max_days=30, whole_weeks=whole_weeks)
    drawn = {shift_days(Draws(KEY, str(patient)), settings) for patient in range(2000)}
    unit = 7 if whole_weeks else 1
    assert drawn == {n for n in range(-30, 31) if n and n % unit == 0}


def test_intervals_of_ten_thousand_patients_stay_exact_leap_years_included():
    rng = random.Random(0)
    first = date(1896, 1, 1).toordinal()
    for patient in range(10_000):
        days = shift_days(Draws(KEY, str(patient)), SETTINGS)
        one_day = date.fromordinal(first + rng.randrange(75_000))
        other = one_day + timedelta(rng.choice((1, 28, 29, 366, rng.randrange(4000))))
        shown = [f"{d.month:02d}/{d.day:02d}/{d.year}" for d in (one_day, other)]
        new = moved(days, (shown[0], "DATE"), " ", (shown[1], "DATE"), order="mdy")
        was, now = ([date(int(t[6:]), int(t[:2]), int(t[3:5])) for t in texts] for texts in (shown, new))
        assert now[1] - now[0] == was[1] - was[0] and now[0] != was[0]
        assert now[0].weekday() == was[0].weekday()  # whole weeks
