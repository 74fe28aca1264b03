"""Rows of letters are found by their ink alone, where nothing was seen; textures, stamps and rules are none."""

import numpy as np
import pytest

from deidlab.images.geometry import Box
from deidlab.images.overlooked import overlooked
from deidlab.images.rendering.wear import stamped
from deidlab.images.words import Reading

pytest.importorskip("cv2", reason='needs pip install "deidlab[image]"')

LINES = ("Name: Izetta Lilja", "seen in the clinic", "and sent home again")
FIRST, SECOND, THIRD = (Box(10, 14 + 34 * i, 210, 38 + 34 * i) for i in range(3))


def test_a_row_that_no_engine_saw_is_found_where_it_is(picture):
    page = picture(*LINES)
    assert overlooked(page, [FIRST, SECOND, THIRD]) == []
    found = overlooked(page, [FIRST, THIRD])
    ink = np.argwhere(page[SECOND.top : SECOND.bottom] < 128)
    (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0)
    assert min(box.left for box in found) <= left and max(box.right for box in found) >= right
    assert all(box.top <= SECOND.top + top + 4 and box.bottom >= SECOND.top + bottom - 4 for box in found)
    assert all(SECOND.shared(box) > 0.7 * box.area for box in found)


def test_rows_under_a_stamp_are_found_and_of_the_stamp_little(picture):
    page = picture(*LINES, width=700, size=24)
    marked = stamped(page, np.random.default_rng(5))
    assert (marked != page).any()
    found, of_stamp = np.zeros(page.shape, dtype=bool), 0.0
    for box in overlooked(marked, []):
        place = slice(int(box.top), int(box.bottom)), slice(int(box.left), int(box.right))
        found[place] = True
        of_stamp += 0.0 if (page[place] < 100).any() else box.area  # the ink of the stamp has letters too
    assert found[page < 100].mean() > 0.9 and of_stamp < 0.1 * page.size


def test_speckle_rules_and_blank_paper_are_no_letters(picture):
    rng = np.random.default_rng(0)
    texture = np.clip(255 - rng.rayleigh(60, (200, 300)), 0, 255).astype(np.uint8)
    assert overlooked(texture, []) == []
    ruled = np.full((200, 300), 255, np.uint8)
    ruled[::25], ruled[:, ::60] = 0, 0
    assert overlooked(ruled, []) == [] == overlooked(np.full((50, 50), 255, np.uint8), [])


def test_what_the_detector_drops_is_read_all_the_same(rapid, picture, monkeypatch):
    """The recogniser is shown the rows that are left over."""
    page = picture(*LINES)
    whole = {word.text for word in rapid.read(page).words}
    monkeypatch.setattr(rapid._engine, "text_det", Blind(rapid._engine.text_det))
    partly = rapid.read(page)
    assert isinstance(partly, Reading) and {word.text for word in partly.words} == whole


class Blind:
    """A detector that loses its first line."""

    def __init__(self, detector):
        self.detector = detector

    def __call__(self, *args, **kwargs):
        found = self.detector(*args, **kwargs)
        found.boxes, found.scores = found.boxes[1:], found.scores[1:]
        return found
