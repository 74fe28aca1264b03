"""Words: runs of letters, marks and digits, and every other character that is not blank."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.word_bounds import WORD, word_bounds


def words(text: str) -> list[str]:
    return [text[a:b] for a, b in word_bounds(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr. O'Neil-Smith", ["Mr", ".", "O", "'", "Neil", "-", "Smith"]),
        ("67F 53yo 4th 10mg", ["67", "F", "53", "yo", "4", "th", "10", "mg"]),
        ("A12B34 12345ab ab12", ["A12B34", "12345ab", "ab12"]),  # identifiers stay whole
        ("José 3/4/12", ["José", "3", "/", "4", "/", "12"]),
        ("王伟 नमस्ते", ["王", "伟", "नमस्ते"]),
        ("45岁 x_y", ["45", "岁", "x", "_", "y"]),
        ("", []),
        (" \t\r\n", []),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


@given(st.text(max_size=60))
def test_words_tile_everything_that_is_not_blank(text):
    covered = np.zeros(len(text), dtype=int)
    for start, end in word_bounds(text):
        covered[start:end] += 1
    assert all(n == 1 for n, c in zip(covered, text, strict=True) if not c.isspace())
    assert covered.max(initial=0) <= 1


@settings(max_examples=500)
@given(
    st.text(
        st.sampled_from("ab1 2٣½Ⅻé\u0301.-_\n\u0e01\u0e31กす王\u200c\u200d\u3000𝒜𝟘😀\ud800\uffff\x1c")
        | st.characters(),
        max_size=30,
    )
)
def test_words_are_those_of_the_pattern(text):
    """Most are found without it."""
    assert word_bounds(text).tolist() == [list(word.span()) for word in WORD.finditer(text)]
