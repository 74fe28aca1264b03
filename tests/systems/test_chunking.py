"""Chunks cover the text, keep to the limit, and end where paragraphs do."""

from hypothesis import given
from hypothesis import strategies as st

from deidlab.systems.chunking import chunks, utf8_bytes

TEXTS = st.text(alphabet="ab .\n😀é", max_size=300)


@given(TEXTS, st.integers(1, 60))
def test_chunks_cover_the_text_within_the_limit(text, limit):
    found = chunks(text, limit)
    assert "".join(text[a:b] for a, b in found) == text
    assert all(0 < b - a <= limit for a, b in found)


@given(TEXTS, st.integers(4, 60))
def test_a_limit_of_bytes_is_kept_in_bytes(text, limit):
    found = chunks(text, limit, utf8_bytes)
    assert "".join(text[a:b] for a, b in found) == text
    assert all(0 < utf8_bytes(text[a:b]) <= limit for a, b in found)


def test_the_best_border_in_the_second_half_is_taken():
    def cut(text, limit):
        return [text[a:b] for a, b in chunks(text, limit)]

    assert cut("one two\n\nthree four", 14) == ["one two\n\n", "three four"]
    assert cut("one two\nthree four", 14) == ["one two\n", "three four"]
    assert cut("a\n\nbcd efgh ijkl", 12) == ["a\n\nbcd efgh ", "ijkl"]  # the paragraph is too near the start
    assert cut("abcdefghij", 4) == ["abcd", "efgh", "ij"]
    assert cut("short", 100) == ["short"] and cut("", 5) == []
