"""Code units and characters: there and back for every offset, and no offset in the middle of a character."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deidlab.corpora.utf16 import characters_of, is_plain, units_of

TEXTS = st.text(st.sampled_from("aé名😀𝒜\u0301\n"), max_size=12)
unhurried = settings(deadline=None, suppress_health_check=list(HealthCheck))


@unhurried
@given(TEXTS)
def test_units_are_those_of_the_encoding_and_turn_back(text):
    unit, character = units_of(text), characters_of(text)
    for offset in range(len(text) + 1):
        assert unit(offset) == len(text[:offset].encode("utf-16-le")) // 2
        assert character(unit(offset)) == offset
    halves = set(range(unit(len(text)) + 1)) - {unit(offset) for offset in range(len(text) + 1)}
    assert [character(half) for half in sorted(halves)] == [None] * len(halves)
    assert bool(halves) == (not is_plain(text))


@unhurried
@given(TEXTS, st.integers(1, 5))
def test_what_lies_outside_stays_as_far_outside(text, far):
    character = characters_of(text)
    assert character(units_of(text)(len(text)) + far) == len(text) + far
    assert character(-far) == -far
