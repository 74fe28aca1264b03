"""Places, institutions and professions of the same kind and form."""

import re

import pytest

from deidlab.redaction.keys import Draws
from deidlab.redaction.places import exchanged_place, exchanged_profession
from deidlab.synthesis.resources import load_yaml

DRAWS = Draws(b"correct horse battery", "patient 1")


def place(text: str, kind: str, spanish: bool = False, forbidden: frozenset[str] = frozenset()) -> str | None:
    return exchanged_place(text, kind, DRAWS, spanish, forbidden)


@pytest.mark.parametrize(
    ("text", "kind", "pattern"),
    [
        ("Massachusetts General Hospital", "HOSPITAL", r"[A-Z][\w' -]+ General Hospital"),
        ("12 Main Street, Apt 4", "STREET", r"\d\d [A-Z][\w ]+ Street, Apt \d"),
        ("MGH", "HOSPITAL", r"[A-Z]{3}"),
        ("02139", "ZIP", r"0\d{4}"),
        ("MA", "STATE", r"[A-Z]{2}"),
        ("Boston, MA 02139", "LOCATION", r"[A-Z][\w ]+, [A-Z]{2} 0\d{4}"),
        ("BOSTON", "CITY", r"[A-Z ]+"),
        ("3 North", "DEPARTMENT", r"\d North"),
    ],
)
def test_the_form_stays(text, kind, pattern):
    new = place(text, kind)
    assert re.fullmatch(pattern, new), new
    assert new != text


def test_a_spanish_note_gets_spanish_places():
    lists = load_yaml("places.yaml")["spanish"]
    assert place("Madrid", "LOCATION", spanish=True) in {city.split("|")[0] for city in lists["cities"]}
    assert place("España", "COUNTRY", spanish=True) in lists["country"]
    assert re.fullmatch(r"Calle [\w ]+, \d\d, \dd?\w", place("Calle Carmen Romero, 23, 1D", "STREET", spanish=True))
    assert place("Hospital Clínico San Carlos", "HOSPITAL", spanish=True).startswith("Hospital Clínico San ")


def test_a_hospital_called_by_its_kind_alone_becomes_another():
    assert place("General Hospital", "HOSPITAL") not in (None, "General Hospital")


def test_one_name_is_one_name_everywhere():
    assert place("Mercy Hospital", "HOSPITAL").removesuffix(" Hospital") == place(
        "Mercy Clinic", "HOSPITAL"
    ).removesuffix(" Clinic")


def test_words_of_the_note_are_not_given_again():
    first = place("Boston", "CITY")
    again = place("Boston", "CITY", forbidden=frozenset(first.lower().split()))
    assert again not in (first, None) and set(first.lower().split()).isdisjoint(again.lower().split())


@pytest.mark.parametrize("kind", ["HOSPITAL", "STREET", "CITY", "LOCATION", "ORGANIZATION", "ROOM", "ZIP"])
def test_nothing_becomes_itself(kind):
    for text in ("Mercy", "Oak", "12", "Boston", "the", "-", "A", "Main St"):
        assert place(text, kind) != text


def test_professions():
    jobs = load_yaml("things.yaml")["professions"]
    assert exchanged_profession("truck driver", DRAWS, False, frozenset()) in jobs
    assert exchanged_profession("albañil", DRAWS, True, frozenset()) not in (*jobs, "albañil")


@pytest.mark.parametrize("street", ["12 Church Street", "Calle Real 12", "100 Memorial Drive"])
def test_another_house_number_alone_is_no_other_street(street):
    assert place(street, "STREET") is None


@pytest.mark.parametrize("text", ["St 0", "A 0", "the 0", "Boston, St. 0"])
def test_a_number_that_is_no_street_is_not_taken_apart_for_ever(text: str):
    new = place(text, "LOCATION")
    assert new is not None
    assert new != text
    assert new.endswith(" 0")
