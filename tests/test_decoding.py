"""Decoding: whatever the scores, the spans are valid, best under the scheme, whole words, and scored in 0..1."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.calibration.scaling import Calibration
from deidlab.decoding import Decoder, Steps, roles, search, span_confidence, viterbi
from deidlab.encoding import group_units
from deidlab.labels import PREFIXES, LabelSet
from deidlab.types import ConfigError, TokenScores
from deidlab.word_bounds import word_bounds

SCHEMES = tuple(PREFIXES)
SETS = {scheme: LabelSet("two", ("A", "B"), scheme) for scheme in SCHEMES}


def random_scores(units: int, labels: LabelSet, seed: int, scale: float = 3.0) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(scale=scale, size=(units, len(labels.tags)))
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def may_follow(before: str | None, after: str | None, scheme: str) -> bool:
    """Whether a tag may stand after another, by the schemes' definitions; None is the border of the document."""
    if scheme == "IO":
        return True
    closed = scheme in ("BIOES", "BILOU")
    opens = ("B", "S", "U")
    inside = ("I", "L", "E") if closed else ("I",)
    continues = after is not None and after[0] in inside
    if continues:
        return before is not None and before[0] in ("B", "I") and before[2:] == after[2:]
    pending = closed and before is not None and before[0] in ("B", "I")
    return not pending and (after is None or after == "O" or after[0] in opens)


def valid(tags: tuple[str, ...], scheme: str) -> bool:
    return all(may_follow(a, b, scheme) for a, b in zip((None, *tags), (*tags, None), strict=True))


def one_subword_a_word(log_probs: np.ndarray) -> TokenScores:
    """Scores of a text of one-letter words, `a a a ...`, each a single subword."""
    units = np.arange(len(log_probs), dtype=np.int32)
    return TokenScores("d", np.stack([2 * units, 2 * units + 1], axis=1), log_probs.astype(np.float32))


@pytest.mark.parametrize("scheme", ("BIO", "BIOES", "BILOU"))
@settings(max_examples=60, deadline=None)
@given(units=st.integers(1, 60), seed=st.integers(0, 10_000), outside=st.floats(0, 6))
def test_searching_the_invalid_stretches_alone_is_as_good_as_searching_the_document(scheme, units, seed, outside):
    scores = random_scores(units, SETS[scheme], seed)
    scores[:, 0] += outside  # mostly outside, as notes are
    assert viterbi(scores, SETS[scheme]).tolist() == search(scores, Steps.of(SETS[scheme])).tolist()


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(max_examples=25, deadline=None)
@given(units=st.integers(1, 4), seed=st.integers(0, 10_000))
def test_viterbi_is_the_best_of_all_valid_sequences(scheme, units, seed):
    labels = SETS[scheme]
    scores = random_scores(units, labels, seed)
    tags = labels.tags
    best = max(
        sum(scores[i, t] for i, t in enumerate(path))
        for path in product(range(len(tags)), repeat=units)
        if valid(tuple(tags[t] for t in path), scheme)
    )
    found = viterbi(scores, labels)
    assert valid(tuple(tags[t] for t in found), scheme)
    assert np.isclose(sum(scores[i, t] for i, t in enumerate(found)), best)


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(max_examples=30, deadline=None)
@given(units=st.integers(1, 40), seed=st.integers(0, 10_000), scale=st.sampled_from([0.1, 3.0, 300.0]))
def test_sequences_are_valid_and_spans_sorted_disjoint_and_scored(scheme, units, seed, scale):
    labels = SETS[scheme]
    scores = random_scores(units, labels, seed, scale)
    assert valid(tuple(labels.tags[t] for t in viterbi(scores, labels)), scheme)
    spans = Decoder(labels)(one_subword_a_word(scores))
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert all(0 <= span.score <= 1 and span.label in labels.types for span in spans)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_spans_are_what_the_tags_say(scheme):
    begin, inside, last, unit = PREFIXES[scheme]
    tags = [f"{begin}-A", f"{inside}-A", f"{last}-A", "O", f"{unit}-B", f"{begin}-A", f"{last}-A"]
    ids = SETS[scheme].tag_ids
    scores = np.full((len(tags), len(ids)), np.log(1e-4))
    scores[np.arange(len(tags)), [ids[t] for t in tags]] = np.log(0.9)
    found = [(s.start, s.end, s.label) for s in Decoder(SETS[scheme])(one_subword_a_word(scores))]
    assert found == [(0, 5, "A"), (8, 9, "B"), (10, 13, "A")]


@settings(max_examples=60, deadline=None)
@given(text=st.text("ab1é-. \n王", max_size=30), seed=st.integers(0, 999), unit=st.sampled_from(["word", "subword"]))
def test_no_span_cuts_a_word_whatever_the_subwords_and_their_scores(text, seed, unit):
    rng = np.random.default_rng(seed)
    bounds = []
    for start, end in word_bounds(text):
        cuts = sorted({start, end, *rng.integers(start, end + 1, size=2)})
        bounds += pairwise(cuts)
    _, unit_spans = group_units(np.array(bounds, dtype=np.int32).reshape(-1, 2), word_bounds(text), unit)
    labels = SETS["BILOU"]
    scores = TokenScores("d", unit_spans, random_scores(len(unit_spans), labels, seed).astype(np.float32))
    borders = {"start": set(word_bounds(text)[:, 0]), "end": set(word_bounds(text)[:, 1])}
    spans = Decoder(labels, outside_bias=3)(scores)
    assert all(span.start in borders["start"] and span.end in borders["end"] for span in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))


def test_subword_units_that_disagree_give_the_word_to_the_first():
    labels = LabelSet("two", ("A", "B"), "IO")
    both = np.array([[0, 5], [0, 5]], dtype=np.int32)  # two subwords of one word of five letters
    scores = np.log(np.array([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8]], dtype=np.float32))
    (span,) = Decoder(labels)(TokenScores("d", both, scores))
    assert (span.start, span.end, span.label) == (0, 5, "A")


@pytest.mark.parametrize(
    ("scheme", "of_both", "of_one"),
    [("IO", (0.8 * 0.6) ** 0.5, 0.8), ("BIO", (0.7 * 0.5) ** 0.5, 0.7), ("BIOES", (0.4 * 0.3) ** 0.5, 0.2)],
)
def test_the_score_of_a_span_is_the_mean_probability_of_its_type_and_places(scheme, of_both, of_one):
    """The same words, by what a scheme can say of places: both of type A, and then the first of them alone."""
    first = {"IO": [0.8], "BIO": [0.7, 0.1], "BIOES": [0.4, 0.1, 0.1, 0.2]}[scheme]  # B I E S
    second = {"IO": [0.6], "BIO": [0.1, 0.5], "BIOES": [0.1, 0.1, 0.3, 0.1]}[scheme]
    scores = one_subword_a_word(np.log([[1 - sum(row), *row] for row in (first, second)])).log_probs
    role = roles(LabelSet("one", ("A",), scheme))
    assert span_confidence(scores, role, 0) == pytest.approx(of_both, abs=1e-6)
    assert span_confidence(scores[:1], role, 0) == pytest.approx(of_one, abs=1e-6)


def test_the_score_is_that_of_the_tags_found():
    labels = LabelSet("two", ("A", "B"), "BIO")  # O, B-A, I-A, B-B, I-B
    scores = np.log(np.array([[0.1, 0.7, 0.1, 0.05, 0.05], [0.2, 0.1, 0.5, 0.1, 0.1]]))
    (span,) = Decoder(labels)(one_subword_a_word(scores))
    assert span.score == pytest.approx((0.7 * 0.5) ** 0.5, abs=1e-6)


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), biases=st.lists(st.floats(-8, 8), min_size=2, max_size=4))
def test_a_higher_outside_bias_never_leaves_more_characters_outside(scheme, seed, biases):
    scores = one_subword_a_word(random_scores(25, SETS[scheme], seed))
    covered = [sum(s.end // 2 - s.start // 2 + 1 for s in Decoder(SETS[scheme], b)(scores)) for b in sorted(biases)]
    assert covered == sorted(covered)


def test_an_empty_document_has_no_spans():
    empty = np.empty((0, 2), dtype=np.int32)
    scores = TokenScores("d", empty, np.zeros((0, 3), dtype=np.float32))
    assert Decoder(LabelSet("one", ("A",), "BIO"))(scores) == ()


@pytest.mark.parametrize("bias", [float("nan"), float("inf")])
def test_a_bias_that_is_no_number_is_refused(bias):
    with pytest.raises(ConfigError, match=r"decoding.outside_bias"):
        Decoder(SETS["BIO"], bias)


def test_calibration_changes_scores_and_never_spans():
    labels = SETS["BIO"]
    scores = one_subword_a_word(random_scores(40, labels, seed=1))
    calibration = Calibration("vector", (0.3,) * 5, (0.5, 0.0, 0.0, -2.0, 0.0), span=(0.7, -0.4))
    plain, said = (Decoder(labels, calibration=c)(scores) for c in (None, calibration))
    assert plain == said and plain  # a span's score is no part of what it is
    assert all(a.score != b.score and 0 <= b.score <= 1 for a, b in zip(plain, said, strict=True))


def test_a_bias_against_outside_makes_no_span_surer():
    labels = SETS["BIO"]
    scores = one_subword_a_word(np.log(np.array([[0.4, 0.5, 0.04, 0.03, 0.03]])))
    (plain,), (biased,) = (Decoder(labels, outside_bias=b)(scores) for b in (0, 5))
    assert plain.score == biased.score


def test_neighbours_that_are_covered_for_recall_are_one_span_where_their_type_is():
    class Eager(Decoder):
        threshold = 0.05

    labels = SETS["BIO"]  # O, B-A, I-A, B-B, I-B
    scores = np.log(
        [
            [0.90, 0.08, 0.01, 0.005, 0.005],  # A, unlikely
            [0.90, 0.01, 0.08, 0.005, 0.005],  # the same
            [0.90, 0.005, 0.005, 0.08, 0.01],  # B, unlikely
            [0.02, 0.005, 0.005, 0.96, 0.01],  # B, found
            [0.99, 0.004, 0.004, 0.001, 0.001],  # nothing
        ]
    )
    found = [(s.start, s.end, s.label) for s in Eager(labels)(one_subword_a_word(scores))]
    assert found == [(0, 3, "A"), (4, 5, "B"), (6, 7, "B")]
