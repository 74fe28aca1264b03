"""Known identifiers are found as a machine misreads them, and ordinary words are not."""

from datetime import date

import pytest

from deidlab.images.known import date_forms, mended_months, name_forms, occurrences, reduced


def found(text: str, *identifiers: str) -> list[str]:
    return [text[a:b] for a, b in occurrences(text, identifiers)]


@pytest.mark.parametrize(
    ("text", "identifier", "expected"),
    [
        ("seen by KOWALSKA today", "Kowalska", "KOWALSKA"),
        ("name Kowa1ska, A.", "Kowalska", "Kowa1ska"),  # look-alikes
        ("name Kowalskn, A.", "Kowalska", "Kowalskn"),  # one wrong
        ("ID 00481-77Z", "0048177 2", "00481-77Z"),
        ("MUNOZ GARCIA", "Muñoz", "MUNOZ"),
        ("O'Neil left", "ONeil", "O'Neil"),
    ],
)
def test_identifiers_are_found_as_they_are_read(text, identifier, expected):
    assert expected in found(text, identifier)


def test_short_names_are_found_whole_and_right_only():
    assert found("Lee and sleet and flee", "Lee") == ["Lee"]
    assert found("a Ng b", "Ng") == []  # two letters tell nothing
    assert not found("he was well", "Wall")


def test_a_date_is_found_in_every_order():
    forms = date_forms(date(1962, 4, 3))
    for shown in ("03/04/1962", "4/3/1962", "1962-04-03", "3 Apr 1962", "April 3, 1962", "3-APR-1962"):
        assert reduced(shown)[0] in {reduced(form)[0] for form in forms}, shown


def test_a_name_of_a_header_is_looked_for_in_parts_and_together():
    forms = name_forms("DOE-SMITH^JANE^^Dr")
    assert {"DOE-SMITH", "DOE", "SMITH", "JANE"} <= forms and "Dr" not in forms
    assert found("JaneDoe-Smith", *forms)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("booked Septeiber 5th w/ D", "booked September 5th w/ D"),
        ("on 5 0ctober and 5th Januarv 2012", "on 5 October and 5th January 2012"),
        ("AUGUSI 2012", "AUGUST 2012"),
        ("the match was on and 3 tablets", "the match was on and 3 tablets"),  # no number beside it
        ("Arthur 12, Number 3, Octopus 7", "Arthur 12, Number 3, Octopus 7"),
        ("3-Novembet-2011", "3-November-2011"),
    ],
)
def test_misread_months_beside_a_number_are_spelled_right(text, expected):
    assert mended_months(text) == expected and len(expected) == len(text)
