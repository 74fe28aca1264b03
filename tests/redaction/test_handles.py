"""User names and addresses follow the names they spell out."""

import re

import pytest

from deidlab.redaction.handles import exchanged_handle
from deidlab.redaction.keys import Draws
from deidlab.redaction.name_surrogates import People
from deidlab.types import Span

DRAWS = Draws(b"correct horse battery", "patient 1")
PEOPLE = People.of("John Smith", [(Span(0, 10, "PATIENT"), "PATIENT")], DRAWS, frozenset(("john", "smith")))
GIVEN, FAMILY = PEOPLE.surrogate(0, 10).lower().split()


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("jsmith@gmail.com", rf"{GIVEN[0]}{FAMILY}@gmail\.com"),
        ("john.smith12@hotmail.es", rf"{GIVEN}\.{FAMILY}\d\d@hotmail\.es"),
        ("JOHN_SMITH@ACME.ORG", rf"{GIVEN.upper()}_{FAMILY.upper()}@[A-Z]{{4}}\.ORG"),
        ("smithj", rf"{FAMILY}{GIVEN[0]}"),
        ("www.johnsmith.com/home", rf"www\.{GIVEN}{FAMILY}\.com/[a-z]{{4}}"),
        ("abc123", r"[a-z]{3}\d{3}"),
        ("https://clinic.example.org", r"https://[a-z]{6}\.example\.org"),
    ],
)
def test_names_inside_and_the_pattern_of_the_rest(text, pattern):
    assert re.fullmatch(pattern, exchanged_handle(text, PEOPLE)), exchanged_handle(text, PEOPLE)


def test_nothing_to_exchange_is_nothing():
    assert exchanged_handle("@", PEOPLE) is None
