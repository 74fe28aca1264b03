"""Casing and gaps of words, as an uncased tokenizer does not tell them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deidlab.word_bounds import word_bounds
from deidlab.word_shapes import NO_WORD, SHAPES, Casing, Gap, word_shapes


def shapes(text: str) -> dict[str, tuple[Casing, Gap]]:
    bounds = word_bounds(text)
    found = word_shapes(text, bounds) - 1
    return {
        text[a:b]: (Casing(one // len(Gap)), Gap(one % len(Gap))) for (a, b), one in zip(bounds, found, strict=True)
    }


def test_casing_and_gap_of_each_word():
    assert shapes("El NHC:  McGhan\n\u00c1ngel J\tde 4.\r\nx2") == {
        "El": (Casing.TITLE, Gap.LINE),
        "NHC": (Casing.UPPER, Gap.BLANK),
        ":": (Casing.NONE, Gap.GLUED),
        "McGhan": (Casing.MIXED, Gap.BLANKS),
        "\u00c1ngel": (Casing.TITLE, Gap.LINE),
        "J": (Casing.TITLE, Gap.BLANK),
        "de": (Casing.LOWER, Gap.BLANKS),
        "4": (Casing.NONE, Gap.BLANK),
        ".": (Casing.NONE, Gap.GLUED),
        "x2": (Casing.LOWER, Gap.LINE),
    }


def test_a_text_without_words_has_no_shapes():
    assert word_shapes("", word_bounds("")).shape == (0,)


@given(st.text(max_size=60))
def test_every_word_of_any_text_has_a_shape_and_never_that_of_no_word(text):
    found = word_shapes(text, word_bounds(text))
    assert found.dtype == np.int32 and len(found) == len(word_bounds(text))
    assert ((found > NO_WORD) & (found < SHAPES)).all()


@given(st.text("aB1. \n\t", max_size=30), st.text("aB1. \n\t", max_size=30))
def test_a_shape_depends_on_the_word_and_the_gap_before_it_alone(before, after):
    alone, within = word_shapes("x Word", word_bounds("x Word")), word_bounds(text := f"{before}. Word {after}")
    at = [text[a:b] for a, b in within].index("Word") if "Word" not in before.split() else None
    if at is not None:
        assert word_shapes(text, within)[at] == alone[1]


@pytest.mark.parametrize("unit", ["word", "subword"])
def test_all_subwords_of_a_word_carry_its_shape_also_across_windows(unit, tiny_backbones):
    from transformers import AutoTokenizer

    from deidlab.encoding import Encoder
    from deidlab.types import Document

    encoder = Encoder(AutoTokenizer.from_pretrained(tiny_backbones["roberta"]), 8, 2, unit, word_shapes=True)
    text = "Zyxomma SMITH smith 54\nSmith"
    (one,) = encoder.encode([Document("d", text)])
    told = dict(zip([text[a:b] for a, b in one.unit_spans[one.units]], one.shapes.tolist(), strict=True))
    assert len(one.shapes) == len(one.input_ids) > len(text.split())
    assert len({told["Zyxomma"], told["SMITH"], told["smith"]}) == 3
    assert told["Smith"] == told["Zyxomma"], "both are titles at the start of a line"
    windows = encoder.windows(one)
    assert len(windows) > 1
    for window in windows:
        assert window.shapes.tolist() == one.shapes[window.first : window.first + len(window.input_ids)].tolist()
