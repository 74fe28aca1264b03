"""Pages are made grey, dark on light, large enough and straight, and every point is known on the page."""

import numpy as np
import pytest

from deidlab.images.geometry import moved
from deidlab.images.preparing import Preparation, grey, prepared, skew
from deidlab.images.rendering.sheet import Sheet, font_of
from deidlab.images.rendering.wear import Wear, worn

cv2 = pytest.importorskip("cv2", reason='needs pip install "deidlab[image]"')


def page(size: int = 22) -> np.ndarray:
    sheet = Sheet(700, 13 * size)
    for i in range(8):
        sheet.word("Anne Smith was seen on the ward today", None, 30, 20 + 1.5 * size * i, font_of("sans", size))
    return np.asarray(sheet.image).copy()


def test_depths_of_pixels_become_eight_bits():
    ramp = np.linspace(0, 4000, 100).reshape(10, 10)
    assert grey(ramp.astype(np.uint16)).max() == 255 and grey(ramp.astype(np.int16) - 1000).min() == 0
    assert set(np.unique(grey(np.eye(4, dtype=bool)))) == {0, 255}
    assert grey(np.full((2, 2, 3), 77, np.uint8)).tolist() == [[77, 77], [77, 77]]


@pytest.mark.parametrize("degrees", [-3.0, 2.0, 5.0])
def test_skew_is_found_and_taken_out(degrees):
    turned, matrix = worn(page(), Wear(skew=degrees), np.random.default_rng(1))
    true = np.rad2deg(np.arctan2(matrix[1, 0], matrix[0, 0]))
    assert skew(turned) == pytest.approx(true, abs=0.25)
    assert abs(skew(prepared(turned, Preparation()).pixels)) < 0.3


def test_a_straight_page_of_readable_letters_is_left_alone():
    view = prepared(page(), Preparation())
    assert (view.pixels == page()).all() and (view.to_page == np.eye(3)).all()


def test_small_letters_are_enlarged_and_huge_ones_are_not():
    assert prepared(page(11), Preparation()).pixels.shape[1] > 1000
    assert prepared(page(60), Preparation()).pixels.shape[1] < 500


def test_white_on_black_is_inverted_and_points_lead_back_to_the_page():
    dark = np.zeros((300, 500), np.uint8)
    dark[100:104, 200:204] = 255
    view = prepared(dark, Preparation(), turns=1)
    assert np.median(view.pixels) == 255
    y, x = np.argwhere(view.pixels == 0).mean(axis=0)
    assert moved(np.array([(x + 0.5, y + 0.5)]), view.to_page)[0] == pytest.approx((202, 102), abs=1)


def test_a_blank_page_is_prepared_too():
    assert prepared(np.full((40, 50), 255, np.uint8), Preparation()).pixels.shape == (40, 50)
