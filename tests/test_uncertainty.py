"""Sources of uncertainty are largest where nothing is known, and are judged by what they put first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab import uncertainty as u
from deidlab.labels import PREFIXES, LabelSet

SURE, UNSURE = np.array([[0.98, 0.01, 0.01]]), np.array([[1 / 3, 1 / 3, 1 / 3]])
INSIDE = np.array([False])


@pytest.mark.parametrize("source", [u.least_confident, u.entropy, u.margin, lambda p: u.doubt(p, INSIDE)])
def test_what_is_unknown_is_more_uncertain_than_what_is_known(source):
    assert source(UNSURE)[0] > source(SURE)[0] >= 0


@pytest.mark.parametrize("scheme", list(PREFIXES))
def test_types_take_the_probability_of_all_their_tags(scheme):
    labels = LabelSet("two", ("A", "B"), scheme)
    tags = np.random.default_rng(0).dirichlet(np.ones(len(labels.tags)), size=7)
    probs = u.type_probs(np.log(tags), labels)
    assert probs.sum(axis=1) == pytest.approx(1)
    assert probs[:, 1] == pytest.approx(tags[:, [i for i, t in enumerate(labels.tags) if t.endswith("-A")]].sum(axis=1))


def test_doubt_is_about_covering_or_not_whatever_the_type():
    between = np.array([[0.02, 0.49, 0.49]])  # surely an identifier, of one type or the other
    assert u.doubt(between, np.array([True]))[0] == pytest.approx(0.02)
    assert u.doubt(between, INSIDE)[0] == pytest.approx(0.98)
    assert u.least_confident(between)[0] > 0.5


def test_scorings_that_agree_have_nothing_to_tell_each_other():
    agree, apart = np.stack([UNSURE, UNSURE]), np.stack([SURE, SURE[:, [1, 0, 2]]])
    assert u.mutual_information(agree)[0] == pytest.approx(0, abs=1e-12)
    assert u.mutual_information(apart)[0] > 0.3
    assert u.disagreement(*agree)[0] == 0 and u.disagreement(*apart)[0] == pytest.approx(0.97)


def test_units_that_rules_contradict_come_first_and_the_doubtful_of_them_before_the_others():
    probs = np.concatenate([SURE, UNSURE, SURE, UNSURE])
    score = u.contradiction(probs, np.zeros(4, bool), np.array([True, True, False, False]))
    assert np.argsort(-score).tolist() == [1, 0, 3, 2]


def test_errors_at_the_end_of_the_queue_cost_the_least():
    wrong = np.array([0, 0, 0, 1], bool)
    best, worst = (u.risk_coverage(order, wrong) for order in (np.arange(4), -np.arange(4)))
    assert best[1].tolist() == [0, 0, 0, 0.25] and worst[1].tolist() == [1, 1 / 2, 1 / 3, 1 / 4]
    assert best[0].tolist() == [0.25, 0.5, 0.75, 1]


def test_missed_characters_are_found_at_the_top_in_the_order_of_the_queue():
    missed = np.array([0, 6, 0, 2] + [0] * 16)
    queue = np.arange(20.0)[::-1]
    assert u.found_at_the_top(queue, missed, 0.05) == 0
    assert u.found_at_the_top(queue, missed, 0.1) == 0.75
    assert u.found_at_the_top(queue, missed, 0.2) == 1
    assert u.found_at_the_top(queue, np.zeros(20), 0.1) is None


@settings(deadline=None)
@given(share=st.floats(0, 1), count=st.integers(1, 50))
def test_a_queue_without_an_order_finds_its_share_and_no_more(share, count):
    missed = np.zeros(count)
    missed[0] = 5
    assert u.found_at_the_top(np.ones(count), missed, share) == pytest.approx(round(share * count) / count)


def test_a_judgement_says_area_and_shares():
    outcome = u.Outcome(np.array([False, True]), np.array([0, 4]))
    assert u.judge(np.array([0.1, 0.9]), outcome) == {"aurc": 0.25, "top_0.01": 0, "top_0.05": 0, "top_0.1": 0}


def test_a_source_that_knows_nothing_is_judged_the_same_in_any_order_of_the_notes():
    wrong = np.r_[np.ones(8), np.zeros(392)]
    for order in (wrong, wrong[::-1]):
        outcome = u.Outcome(order, order)
        assert u.judge(np.zeros(400), outcome)["aurc"] == pytest.approx(0.02)
        assert (u.at_the_top(np.zeros(400), 0.05) @ order) / order.sum() == pytest.approx(0.05)


def test_the_top_of_the_queue_holds_its_share_and_splits_a_tie():
    assert u.at_the_top(np.array([3.0, 1.0, 2.0, 2.0]), 0.5).tolist() == [1, 0, 0.5, 0.5]
