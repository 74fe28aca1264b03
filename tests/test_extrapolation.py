"""A curve that is one comes back as it was; what no curve can say is not said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.extrapolation import PowerLaw, extrapolate, fit

SIZES = np.array([10.0, 25.0, 50.0, 100.0])


@pytest.mark.parametrize(("a", "b", "c"), [(2.0, 0.5, 0.05), (1.0, 1.0, 0.0), (0.8, 0.3, 0.1)])
def test_points_on_a_power_law_give_it_back_beyond_the_last_of_them(a, b, c):
    law = fit(SIZES, a * SIZES**-b + c)
    assert law.at([500])[0] == pytest.approx(a * 500.0**-b + c, abs=0.003)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_no_curve_promises_errors_below_zero_or_that_grow_with_notes(errors):
    law = fit(SIZES, np.array(errors))
    further = law.at([100, 1_000, 100_000])
    assert (further >= 0).all() and (np.diff(further) <= 1e-12).all()


def test_the_notes_needed_are_where_the_curve_crosses():
    law = PowerLaw(2.0, 0.5, 0.05)
    needed = law.needed(0.15)
    assert law.at([needed])[0] == pytest.approx(0.15)
    assert law.needed(0.05) == np.inf, "a floor is never reached"


def test_repeats_that_differ_make_an_interval_and_equal_ones_none():
    sharp = extrapolate({10: [0.5, 0.5], 50: [0.3, 0.3], 100: [0.25, 0.25]})
    wide = extrapolate({10: [0.4, 0.6], 50: [0.2, 0.4], 100: [0.15, 0.35]})
    assert sharp.at(200).low == sharp.at(200).high == sharp.at(200).value
    assert wide.at(200).low < wide.at(200).value < wide.at(200).high
    assert wide.at(200) == extrapolate({10: [0.4, 0.6], 50: [0.2, 0.4], 100: [0.15, 0.35]}).at(200)


def test_a_target_that_some_draws_never_reach_has_no_upper_bound():
    wide = extrapolate({10: [0.4, 0.6], 50: [0.2, 0.4], 100: [0.15, 0.35]})
    assert wide.needed(0.2).low < np.inf and wide.needed(0.2).high == np.inf


def test_without_repeats_there_is_a_curve_and_no_interval():
    drawn = extrapolate({10: [0.3], 20: [0.2], 40: [0.15]})
    assert 0.1 < drawn.at(80).value < 0.15 and np.isnan([drawn.at(80).low, drawn.needed(0.05).high]).all()


def test_two_sizes_say_nothing():
    assert extrapolate({0: [0.9], 10: [0.5], 50: [0.3]}) is None, (
        "none is no size either: there is nothing to learn from"
    )
