"""Words become a text in reading order of which every character is known by its symbol."""

from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.images.geometry import Box
from deidlab.images.layout import arranged
from deidlab.images.words import Symbol, Word


def word(text: str, x: float, y: float, size: float = 10) -> Word:
    """A word whose letters are half as wide as high."""
    wide = size / 2
    return Word(tuple(Symbol(ch, Box(x + i * wide, y, x + (i + 1) * wide, y + size), 1.0) for i, ch in enumerate(text)))


def sentence(text: str, x: float, y: float) -> list[Word]:
    words = []
    for part in text.split():
        words.append(word(part, x, y))
        x += 5 * (len(part) + 1)
    return words


def test_words_in_any_order_come_out_in_lines():
    words = [*sentence("seen on 03/04/2012", 40, 30), *sentence("Mr. Smith", 40, 10)]
    assert arranged(reversed(words)).text == "Mr. Smith\nseen on 03/04/2012"


def test_a_line_that_falls_stays_one_line():
    words = [word("ab", 15 * i, 10 + i) for i in range(12)]
    assert arranged(words).text == " ".join(["ab"] * 12)


def test_a_form_is_read_across():
    words = [*sentence("Name:", 0, 0), *sentence("Anne Smith", 200, 0), *sentence("DOB:", 0, 20)]
    words += [*sentence("03/04/1962", 200, 20), *sentence("MRN:", 0, 40), *sentence("123", 200, 40)]
    assert arranged(words).text == "Name:  Anne Smith\nDOB:  03/04/1962\nMRN:  123"


def test_columns_of_prose_are_read_down():
    left = ["the patient was seen by", "Doctor Anne Smith of the", "Mercy Hospital on Monday and"]
    right = ["went home with her daughter", "Mary Jones who lives in", "a flat in Oak Street"]
    words = [w for i, (a, b) in enumerate(zip(left, right, strict=True)) for w in sentence(a, 0, 20 * i)]
    words += [w for i, b in enumerate(right) for w in sentence(b, 220, 20 * i)]
    assert arranged(words).text.split("\n") == left + right


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.text("aé1.", min_size=1, max_size=6), st.integers(0, 400), st.integers(0, 400)),
        max_size=15,
    )
)
def test_every_character_is_its_symbols_and_every_symbol_is_there_once(given_words):
    layout = arranged(word(text, x, y) for text, x, y in given_words)
    assert len(layout.owners) == len(layout.text)
    for ch, owner in zip(layout.text, layout.owners, strict=True):
        assert ch.isspace() if owner < 0 else ch == layout.symbols[owner].text
    assert sorted(layout.owners[layout.owners >= 0].tolist()) == list(range(len(layout.symbols)))
    assert len(layout.symbols) == sum(len(text) for text, _, _ in given_words) == len(layout.lines)


def test_the_repr_of_what_was_read_holds_no_text():
    layout = arranged(sentence("Anne Smith", 0, 0))
    assert "Smith" not in repr(layout) and "S'" not in repr(layout)
