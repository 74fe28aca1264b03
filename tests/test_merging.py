"""Merging what several systems say: nothing is lost in a union, and a vote counts characters."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deidlab.merging import union, vote
from deidlab.types import ConfigError, Span

spans = st.builds(
    lambda start, length, label, score: Span(start, start + length, label, score),
    st.integers(0, 40), st.integers(1, 12), st.sampled_from("ABC"), st.none() | st.floats(0, 1),
)  # fmt: skip
sources = st.lists(st.lists(spans, max_size=6), min_size=1, max_size=4)


def characters(found) -> set[int]:
    return {i for span in found for i in range(span.start, span.end)}


def test_overlapping_spans_become_one_with_the_label_of_the_surest():
    model = [Span(10, 20, "DOCTOR", 0.9), Span(30, 35, "DATE", 0.8)]
    rules = [Span(5, 15, "PATIENT"), Span(35, 40, "AGE")]
    merged = union([model, rules])
    assert merged.spans == (Span(5, 20, "DOCTOR"), Span(30, 35, "DATE"), Span(35, 40, "AGE"))
    assert [span.score for span in merged.spans] == [0.9, 0.8, None]
    assert merged.widened == ("DOCTOR",) and merged.relabelled == ("DOCTOR",)


def test_the_label_is_that_of_the_surest_then_the_longest_then_the_earlier_source():
    assert union([[Span(0, 4, "A")], [Span(0, 9, "B")]]).spans == (Span(0, 9, "B"),)
    assert union([[Span(0, 9, "A")], [Span(0, 9, "B")]]).spans == (Span(0, 9, "A"),)
    assert union([[Span(0, 4, "A", 0.5)], [Span(0, 9, "B", 0.6)]]).spans == (Span(0, 9, "B"),)


def test_a_label_that_a_policy_keeps_yields_to_all_others():
    country, doctor = Span(0, 6, "COUNTRY", 0.99), Span(0, 6, "DOCTOR")
    assert union([[country], [doctor]]).spans[0].label == "COUNTRY"
    assert union([[country], [doctor]], {"COUNTRY"}).spans[0].label == "DOCTOR"
    assert union([[country]], {"COUNTRY"}).spans == (country,)
    assert vote([[country], [doctor]], 2, {"COUNTRY"}).spans[0].label == "DOCTOR"


@given(sources)
def test_a_union_keeps_every_character_and_overlaps_nowhere(found):
    merged = union(found).spans
    assert characters(merged) == characters(span for one in found for span in one)
    assert all(a.end <= b.start for a, b in pairwise(merged))
    assert union([merged]).spans == merged


@given(sources, st.integers(1, 4))
def test_a_vote_keeps_the_characters_that_enough_sources_found(found, least):
    if least > len(found):
        with pytest.raises(ConfigError, match=f"least={least}: expected between 1 and the number of systems"):
            vote(found, least)
        return
    counted = [characters(one) for one in found]
    expected = {i for i in range(60) if sum(i in one for one in counted) >= least}
    kept = vote(found, least).spans
    assert characters(kept) == expected
    assert all(a.end <= b.start for a, b in pairwise(kept))
    assert vote(found, 1).spans == union(found).spans
