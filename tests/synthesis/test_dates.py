"""Dates and numbers as notes write them."""

from datetime import date

import pytest

from deidlab.synthesis.dates import number_words, ordinal, shape_date, years_before

DAY = date(2019, 3, 4)


@pytest.mark.parametrize(
    ("shape", "written"),
    [
        ("m/d/Y", "3/4/2019"),
        ("mm/dd/y", "03/04/19"),
        ("dd.mm.Y", "04.03.2019"),
        ("Y-mm-dd", "2019-03-04"),
        ("B D, Y", "March 4th, 2019"),
        ("dd-b-Y", "04-Mar-2019"),
        ("b 'y", "Mar '19"),
        ("ddbY", "04Mar2019"),
    ],
)
def test_shapes(shape, written):
    assert shape_date(DAY, shape) == written


def test_ordinals():
    written = " ".join(ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 31))
    assert written == "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 31st"


def test_numbers_in_words():
    assert [number_words(n) for n in (0, 9, 13, 20, 45, 99, 102)] == [
        "zero", "nine", "thirteen", "twenty", "forty-five", "ninety-nine", "one hundred two",
    ]  # fmt: skip


def test_years_before():
    assert abs((years_before(DAY, 40) - date(1979, 3, 4)).days) <= 1
    assert years_before(DAY, 0, 10) == date(2019, 2, 22)
