"""Near spellings are found without holding every word against every other."""

from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.redaction.spelling import neighbours, within_typo

WORDS = st.sets(st.text("ab", min_size=1, max_size=5) | st.text("abc", min_size=7, max_size=10), max_size=12)


@settings(deadline=None)
@given(WORDS)
def test_neighbours_are_what_comparing_all_finds(words):
    near = {word: {other for other in words - {word} if within_typo(word, other)} for word in words}
    assert neighbours(words) == {word: others for word, others in near.items() if others}


def test_slips_of_every_sort():
    slips = {"abernathy", "abernaty", "abernatthy", "abernethy", "abernahty", "bernath", "smith", "smth", "smi"}
    assert neighbours(slips)["abernathy"] == {"abernaty", "abernatthy", "abernethy", "abernahty"}
    assert neighbours(slips)["smith"] == {"smth"}
    assert neighbours({"john"}) == neighbours(set()) == {}
