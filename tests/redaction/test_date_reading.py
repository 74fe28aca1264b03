"""Which dates a stretch of text holds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.redaction.date_reading import read_dates, settle_order


def values(text: str, order: str = "mdy"):
    found = read_dates(text, 0, len(text), order, 40)
    return found and [(m.year, m.month, m.day) for m in found if not m.is_time]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3/4/2014", [(2014, 3, 4)]),
        ("17/06/2016", [(2016, 6, 17)]),  # readable in one way only, whatever the order
        ("03-04-14", [(2014, 3, 4)]),
        ("3.4.45", [(1945, 3, 4)]),
        ("2014-02-28", [(2014, 2, 28)]),
        ("20140228", [(2014, 2, 28)]),
        ("2014-02-28T10:30:00Z", [(2014, 2, 28)]),
        ("March 14, 2012", [(2012, 3, 14)]),
        ("Mar. 14 2012", [(2012, 3, 14)]),
        ("14 March 2012", [(2012, 3, 14)]),
        ("4th of July, 2012", [(2012, 7, 4)]),
        ("05-Mar-2012", [(2012, 3, 5)]),
        ("05MAR2012", [(2012, 3, 5)]),
        ("29 de febrero de 2012", [(2012, 2, 29)]),
        ("4 de Septiembre del año 2013", [(2013, 9, 4)]),
        ("diciembre-99", [(1999, 12, None)]),
        ("March '19", [(2019, 3, None)]),
        ("March 2012", [(2012, 3, None)]),
        ("12/2014", [(2014, 12, None)]),
        ("9/00", [(2000, 9, None)]),
        ("3/4", [(None, 3, 4)]),
        ("31/3", [(None, 3, 31)]),
        ("the 4th", [(None, None, 4)]),
        ("May", [(None, 5, None)]),
        ("2014", [(2014, None, None)]),
        ("febrero y abril de 2014", [(None, 2, None), (2014, 4, None)]),
        ("3/4/14 - 3/9/14", [(2014, 3, 4), (2014, 3, 9)]),
        ("Tuesday, March 4th, 2014 at 10:30 am", [(None, None, None), (2014, 3, 4)]),
    ],
)
def test_dates_as_notes_write_them(text, expected):
    assert values(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Christmas",
        "31 Feb 2012",
        "2/30/2012",
        "29/02/2013",
        "13/14/2012",
        "99/99/9999",
        "0/0/2000",
        "",
        "Smith",
        "3/4/2014 Smith",
        "March 4, 2014 (MRN 123)",
        "the day",
        "x3/4/2014",
    ],
)
def test_what_no_calendar_has_or_nobody_understands_is_not_read(text):
    assert values(text) is None


def test_numbers_that_could_be_either_follow_the_order():
    assert values("3/4/2014", "mdy") == [(2014, 3, 4)]
    assert values("3/4/2014", "dmy") == [(2014, 4, 3)]
    assert values("3/4/2014", "mask") is None


@pytest.mark.parametrize(
    ("texts", "spanish", "expected"),
    [
        (["3/4/2014", "17/6/2016"], False, "dmy"),
        (["3/4/2014", "6/17/2016"], True, "mdy"),
        (["3/4/2014"], False, "ambiguous"),
        (["3/4/2014"], True, "dmy"),
        (["17/6/2016", "6/17/2016"], True, "ambiguous"),
    ],
)
def test_the_dates_of_a_note_settle_their_order(texts, spanish, expected):
    assert settle_order(texts, "ambiguous", spanish) == expected


@given(st.text(max_size=30))
@settings(deadline=None)
def test_reading_any_text_ends_and_its_fields_lie_inside(text):
    for mention in read_dates(text, 0, len(text), "mdy", 40) or ():
        ends = [edge for _, start, end in mention.fields for edge in (start, end)]
        assert ends == sorted(ends) and mention.start <= ends[0] and ends[-1] <= mention.end <= len(text)
