"""Codes of the same pattern."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.redaction.codes import bare, exchanged_address, exchanged_code
from deidlab.redaction.keys import Draws

DRAWS = Draws(b"correct horse battery", "patient 1")


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("1234567", r"[1-9]\d{6}"),
        ("MRN: 1234567", r"MRN: [1-9]\d{6}"),
        ("MRN1234567", r"MRN\d{7}"),
        ("AB-00123", r"[A-Z]{2}-00\d{3}"),
        ("(617) 555-0199", r"\([2-9]\d\d\) [2-9]\d\d-0\d{3}"),
        ("617-555-0199 ext. 12", r"\d{3}-\d{3}-0\d{3} ext\. \d\d"),
        ("+34 91 555 12 12", r"\+34 \d\d \d{3} \d\d \d\d"),
        ("1-617-555-0199", r"1-\d{3}-\d{3}-0\d{3}"),
        ("xxx-xx-1234", r"xxx-xx-\d{4}"),
        ("12345678Z", r"\d{8}[A-Z]"),
        ("H", r"[A-Z]"),
    ],
)
def test_patterns_and_prefixes_stay(text, pattern):
    new = exchanged_code(text, DRAWS)
    assert re.fullmatch(pattern, new), new
    assert new != text


def test_another_way_of_writing_a_number_gives_the_same_number():
    assert bare(exchanged_code("617-555-0199", DRAWS)) == bare(exchanged_code("(617) 555 0199", DRAWS))
    for written, plain in (("123-45-6789", "123456789"), ("617-555-1212", "6175551212"), ("123-45-67", "1234567")):
        assert bare(exchanged_code(written, DRAWS)) == exchanged_code(plain, DRAWS)
    assert exchanged_code("617-555-0199", DRAWS) != exchanged_code("617-555-0199", Draws(DRAWS.key, "patient 2"))


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
@settings(deadline=None)
def test_a_code_never_becomes_itself_and_keeps_its_shape(text):
    new = exchanged_code(text, DRAWS)
    if new is not None:
        assert bare(new) != bare(text) and len(new) == len(text)
        assert all(a == b for a, b in zip(text, new, strict=True) if not a.isalnum())


def test_nothing_to_exchange_is_nothing():
    assert exchanged_code("--", DRAWS) is None
    assert exchanged_code("000", DRAWS) is None


def test_forbidden_codes_are_not_given():
    first = exchanged_code("1234567", DRAWS)
    assert exchanged_code("1234567", DRAWS, frozenset((first,))) not in (first, "1234567")


def test_addresses_of_machines():
    assert all(1 <= int(n) <= 254 for n in exchanged_address("10.2.3.4", DRAWS).split("."))
    assert re.fullmatch(r"[0-9a-f]{4}::[0-9a-f]", exchanged_address("fe80::1", DRAWS))
    assert exchanged_address("the router", DRAWS) is None
