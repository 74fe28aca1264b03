"""Boxes, and where turning a picture moves its points."""

import numpy as np
import pytest

from deidlab.images.geometry import Box, around, box_of, moved, quarter_turns, turning


@pytest.mark.parametrize("turns", range(4))
def test_a_point_is_found_where_rot90_puts_its_pixel(turns):
    pixels = np.zeros((30, 50), np.uint8)
    pixels[7, 12] = 255
    (x, y) = moved(np.array([(12.5, 7.5)]), quarter_turns(turns, 30, 50))[0]
    assert np.rot90(pixels, turns)[int(y), int(x)] == 255


def test_turning_keeps_the_middle_in_the_middle_and_everything_inside():
    matrix, height, width = turning(10, 100, 200)
    assert moved(np.array([(100.0, 50.0)]), matrix)[0] == pytest.approx((width / 2, height / 2))
    corners = moved(Box(0, 0, 200, 100).corners(), matrix)
    assert corners.min() >= -1e-9 and corners[:, 0].max() <= width and corners[:, 1].max() <= height


def test_boxes_know_what_they_share_and_what_holds_them():
    a, b = Box(0, 0, 10, 4), Box(8, 2, 20, 6)
    assert a.shared(b) == 4 and b.shared(Box(30, 0, 40, 9)) == 0
    assert around([a, b]) == Box(0, 0, 20, 6) == box_of(np.array([(0, 6), (20, 0)]))
