"""Boxes are exact to the symbol, reach into bare ground only, and slant with the page."""

import numpy as np
import pytest

from deidlab.images.boxes import Covering, boxes_of, doubtful, mask_of
from deidlab.images.geometry import Box, turning
from deidlab.images.layout import arranged
from deidlab.images.words import Reading, Symbol, Word
from deidlab.types import ConfigError

BARE = Covering(padding=0, reach=0, least_padding=0)


def word(text: str, x: float, y: float, confidence: float = 1.0) -> Word:
    return Word(tuple(Symbol(c, Box(x + 6 * i, y, x + 6 * i + 5, y + 10), confidence) for i, c in enumerate(text)))


def test_part_of_a_word_is_covered_to_the_letter():
    layout = arranged([word("SmithMD", 10, 0)])
    assert boxes_of(layout, [(0, 5)], BARE) == [Box(10, 0, 39, 10)]


def test_half_of_a_mark_is_covered_that_is_set_to_a_word():
    """Where the last letter ends and the comma begins is often misjudged by half a letter."""
    layout = arranged([word("(Smith,", 10, 0), word("-", 60, 0)])
    assert boxes_of(layout, [(1, 6)], BARE) == [Box(12.5, 0, 48.5, 10)]


def test_a_span_over_two_lines_has_a_box_on_each():
    layout = arranged([word("Anne", 50, 0), word("Smith", 10, 20), word("left", 50, 20)])
    assert layout.text == "Anne\nSmith left"
    assert boxes_of(layout, [(0, 10)], BARE) == [Box(50, 0, 73, 10), Box(10, 20, 39, 30)]


def test_boxes_reach_half_of_the_way_to_the_next_word_and_not_into_it():
    layout = arranged([word("Dr", 0, 0), word("Ng", 16, 0), word("saw", 34, 0)])
    (box,) = boxes_of(layout, [(3, 5)], Covering(padding=0.1, reach=0.3, least_padding=1))
    assert box == Box(13.5, -1, 30, 11)  # of five bare pixels 2.5; of seven no more than .3 of the height


def test_what_was_read_badly_is_covered_unless_it_is_to_pass():
    reading = Reading("x", (word("Smlth", 0, 0, 0.3), word("aspirin", 60, 0, 0.9)), (Box(0, 50, 20, 60),))
    assert [(b.left, b.top) for b in doubtful(reading, BARE)] == [(0, 0), (0, 50)]
    assert not doubtful(reading, Covering(unreadable=False))


def test_boxes_are_masks_to_the_pixel_and_nothing_beside_them():
    mask = mask_of([Box(2, 3, 7, 5), Box(-4, -4, 1, 1)], np.eye(3), 10, 12)
    expected = np.zeros((10, 12), bool)
    expected[3:5, 2:7] = expected[0, 0] = True
    assert (mask == expected).all()


def test_on_a_skewed_page_a_long_box_slants_and_spares_the_next_line():
    matrix, height, width = turning(3, 200, 600)
    mask = mask_of([Box(20, 100, 580, 110)], matrix, height, width)
    assert mask.sum() == pytest.approx(5600, rel=0.15)  # an upright box around it would have 20,000


def test_settings_that_cannot_be_are_refused():
    for wrong in ({"padding": -1}, {"least_confidence": 2}):
        with pytest.raises(ConfigError):
            Covering(**wrong)
