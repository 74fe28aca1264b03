"""RapidOCR reads lines, places symbols to the pixel, and finds its way on pages that lie on their side."""

import numpy as np
import pytest

from deidlab.images.layout import arranged
from deidlab.images.preparing import Preparation
from deidlab.images.rapid import Line
from deidlab.images.reading import read
from deidlab.images.rendering.samples import samples


def test_symbols_lie_where_their_ink_is(rapid, picture):
    page = picture("Anne Smith, MRN 4821")
    reading = rapid.read(page)
    assert arranged(reading.words).text == "Anne Smith, MRN 4821"
    for word in reading.words:
        for symbol in word.symbols:
            box = symbol.box
            assert (page[int(box.top) : round(box.bottom), round(box.left) : round(box.right)] < 128).any()
    name = reading.words[1]
    assert name.text == "Smith," and name.box.width == pytest.approx(63, abs=8)


@pytest.mark.parametrize("turns", [1, 2])
def test_turned_pages_are_read_upright(rapid, picture, turns):
    page = np.rot90(picture("Anne Smith was seen", "by Doctor Jones today"), turns)
    (reading,) = read(page, [rapid], Preparation())
    assert arranged(reading.words).text == "Anne Smith was seen\nby Doctor Jones today"


def test_a_page_that_is_read_well_upside_down_is_turned_all_the_same(rapid):
    """Recognisers are sure of much that they read upside down: of this page at more than 0.65."""
    (sample,) = (s for s in samples(4, 0, 45, ["turned scan"]) if s.number == 3)
    (reading,) = read(sample.pixels, [rapid], Preparation())
    gold, read_text = sample.page.document.text.split(), arranged(reading.words).text.split()
    assert len(set(gold) & set(read_text)) > 0.8 * len(set(gold))


def test_an_empty_page_has_no_words(rapid):
    (reading,) = read(np.full((120, 200), 255, np.uint8), [rapid], Preparation())
    assert reading.words == () == reading.unread


def test_a_line_without_text_is_empty_and_odd_columns_are_spread():
    class Info:
        line_txt_len, word_cols, confs = 10.0, [[1, 3]], [0.9, 0.8]

    assert Line.of(" ", Info, 100).text == ()
    assert Line.of("ab", Info, 100).centres == [15.0, 35.0]
    assert Line.of("abc", Info, 90).centres == [15.0, 45.0, 75.0]  # three characters in two columns
