"""What was read survives a file: letters, boxes, confidence, the way back to the page."""

import json

import numpy as np

from deidlab.images.geometry import Box
from deidlab.images.words import Reading, Symbol, Word, as_lists, from_lists


def test_a_reading_is_the_same_after_json():
    word = Word((Symbol("é", Box(1, 2, 3.5, 4), 0.5), Symbol("ﬁ", Box(4, 2, 6, 4), np.float32(0.25))))
    reading = Reading("rapidocr", (word,), (Box(0, 0, np.float32(9), 9),), np.diag([2.0, 2.0, 1.0]))
    back = from_lists(json.loads(json.dumps(as_lists(reading))))
    assert (back.source, back.words, back.unread) == (reading.source, reading.words, reading.unread)
    assert (back.to_page == reading.to_page).all() and back.words[0].text == "éﬁ" and back.words[0].confidence == 0.375
