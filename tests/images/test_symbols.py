"""Symbols end where the ink does, also where the engine places them too far to the right."""

import numpy as np

from deidlab.images.symbols import ink_of, placed, rows


def line(*letters: tuple[int, int], width: int = 100) -> np.ndarray:
    """Ink of 20 rows with letters between these columns."""
    ink = np.zeros((20, width), bool)
    for left, right in letters:
        ink[4:18, left:right] = True
    return ink


def test_letters_that_stand_apart_are_exact_however_late_their_centres_are():
    ink = line((10, 18), (20, 28), (30, 38), (50, 58), (60, 68))
    first, second = placed(ink, [[17, 27, 37], [58.5, 67]])
    assert first.tolist() == [[10, 18], [20, 28], [30, 38]]
    assert second.tolist() == [[50, 58], [60, 68]]


def test_letters_that_touch_are_cut_where_there_is_least_ink():
    ink = line((10, 18), (22, 30))
    ink[16:18, 18:22] = True  # a ligature at the foot
    assert placed(ink, [[14, 26]])[0].tolist() == [[10, 20], [20, 30]]


def test_specks_between_words_are_no_ink():
    ink = line((10, 18), (40, 48))
    ink[3, 29] = True
    assert [one.tolist() for one in placed(ink, [[14], [44]])] == [[[10, 18]], [[40, 48]]]


def test_under_a_stamp_the_stronger_ink_tells_words_apart():
    strong = np.zeros((20, 60), bool)
    for left in (4, 14, 34, 44):
        strong[5:15, left : left + 8] = True
    stamp = strong.copy()
    stamp[:, 20:60] = True
    first, second = placed(stamp, [[8, 18], [38, 48]], strong)
    assert first.tolist()[1] == [14, 22] and second.tolist() == [[34, 42], [44, 52]]
    assert placed(stamp, [[8, 18], [38, 48]])[0].tolist()[1] != [14, 22]


def test_every_symbol_gets_a_place_on_bare_ground_too():
    for places in placed(np.zeros((20, 60), bool), [[5, 10, 15], [30, 30, 31]]):
        assert places.shape == (3, 2) and (places[:, 0] <= places[:, 1]).all()


def test_ink_is_what_differs_from_the_ground_dark_or_light():
    strip = np.full((10, 40), 250, np.uint8)
    strip[2:7, 5:9] = 30
    assert rows(ink_of(strip)) == (2, 7) == rows(ink_of(255 - strip))
    assert not ink_of(np.full((10, 40), 250, np.uint8)).any()
