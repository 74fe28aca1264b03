"""Risk curves: losses are those of the spans that decoding gives, and the threshold chosen keeps its promise."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidlab.calibration.scaling import normalised
from deidlab.conformal.curve import RiskCurve
from deidlab.conformal.losses import RISKS, THRESHOLDS, by_patient, note_leak
from deidlab.decoding import Decoder
from deidlab.encoding import group_units
from deidlab.labels import LabelSet
from deidlab.types import ConfigError, DataError, Document, Span, TokenScores
from deidlab.word_bounds import word_bounds

LABELS = LabelSet("two", ("A", "B"), "BIO")


def note(seed: int, patient: str | None = None) -> tuple[Document, TokenScores]:
    """A note of words of one to five letters; the model leans towards the gold spans, and is unsure."""
    rng = np.random.default_rng(seed)
    text = " ".join("x" * rng.integers(1, 6) for _ in range(rng.integers(1, 30)))
    words = word_bounds(text)
    _, unit_spans = group_units(words, words, "word")
    named = rng.random(len(words)) < 0.3
    spans = tuple(Span(int(s), int(e), "A") for (s, e), here in zip(words, named, strict=True) if here)
    logits = rng.normal(size=(len(words), 5)) * 2
    logits[:, 0] += np.where(named, -1.0, 4.0)
    document = Document(f"n{seed}", text, spans, {"patient": patient} if patient else {})
    return document, TokenScores(document.id, unit_spans, normalised(logits).astype(np.float32))


def curve_of(notes) -> RiskCurve:
    decoder = Decoder(LABELS)
    leaks = [note_leak(d, s, decoder(s), d.meta.get("patient", d.id)) for d, s in notes]
    return RiskCurve.of(leaks, decoder.outside_bias)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 5000), place=st.integers(0, len(THRESHOLDS) - 1))
def test_the_leak_at_a_threshold_is_that_of_the_spans_decoded_with_it(seed, place):
    document, scores = note(seed)
    leak = note_leak(document, scores, Decoder(LABELS)(scores), "p")

    class At(Decoder):
        threshold = float(THRESHOLDS[place])

    spans = At(LABELS)(scores)
    assert leak.characters == sum(not c.isspace() for s in document.spans for c in document.text[s.start : s.end])
    covered = {i for s in spans for i in range(s.start, s.end)}
    assert leak.missed[place] == sum(
        i not in covered for s in document.spans for i in range(s.start, s.end) if not document.text[i].isspace()
    )
    assert leak.incomplete[place] == sum(not covered.issuperset(range(s.start, s.end)) for s in document.spans)
    assert leak.covered[place] == sum(not document.text[i].isspace() for i in covered)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 5000))
def test_lower_thresholds_leak_no_more_and_the_lowest_leaks_nothing(seed):
    document, scores = note(seed)
    leak = note_leak(document, scores, Decoder(LABELS)(scores), "p")
    assert (np.diff(leak.missed) <= 0).all() and (np.diff(leak.incomplete) <= 0).all()
    assert leak.missed[-1] == leak.incomplete[-1] == 0
    assert leak.questions[0] == 0


def test_what_no_subword_stands_for_is_never_covered():
    document = Document("n", "ab cd", (Span(3, 5, "A"),))
    scores = TokenScores("n", np.array([[0, 2]]), np.log([[0.9, 0.05, 0.05, 1e-9, 1e-9]]))
    assert note_leak(document, scores, (), "p").missed[-1] == 2


def test_losses_are_shares_of_each_patients_own():
    losses = by_patient([note_leak(d, s, Decoder(LABELS)(s), p) for p in ("one", "two") for d, s in [note(4), note(5)]])
    alone = [note_leak(d, s, Decoder(LABELS)(s), "one") for d, s in [note(4), note(5)]]
    missed, characters = sum(a.missed[0] for a in alone), sum(a.characters for a in alone)
    assert losses["missed_characters"][:, 0] == pytest.approx([missed / characters] * 2)
    assert losses["leaking_notes"][0, 0] == np.mean([a.missed[0] > 0 for a in alone])


def test_a_note_without_identifiers_loses_nothing_and_notes_without_any_are_refused():
    document, scores = note(1)
    clean = Document("clean", document.text)
    leak = note_leak(clean, scores, (), "p")
    assert by_patient([leak])["missed_characters"].max() == 0
    with pytest.raises(DataError, match="annotated"):
        RiskCurve.of([leak], 0.0)


def test_the_promise_holds_on_average_for_patients_not_seen():
    pool = by_patient([note_leak(d, s, Decoder(LABELS)(s), d.id) for d, s in map(note, range(400))])
    rng, kept = np.random.default_rng(0), []
    for _ in range(100):
        drawn = rng.permutation(400)
        seen, unseen = (pool["missed_characters"][part] for part in (drawn[:60], drawn[60:]))
        promised = (60 * seen.mean(axis=0) + 1) / 61
        kept.append(unseen.mean(axis=0)[np.flatnonzero(promised <= 0.1)[0]])
    assert 0.06 < np.mean(kept) <= 0.1  # kept, and not by covering everything


def test_a_curve_survives_json_and_chooses_the_same():
    curve = curve_of(map(note, range(120)))
    again = RiskCurve.from_dict(json.loads(json.dumps(curve.to_dict(), allow_nan=False)))
    assert again == curve
    assert [again.choose(0.05, risk) for risk in RISKS] == [curve.choose(0.05, risk) for risk in RISKS]
    assert curve.choose(0.02) > curve.choose(0.2)
    assert curve.choose(0.1, confidence=0.9) >= curve.choose(0.1)


def test_a_target_decoder_covers_more_and_reads_its_promise_from_what_is_stored():
    pairs = list(map(note, range(120)))
    stored = Decoder(LABELS, curve=curve_of(pairs)).settings()
    target = Decoder.stored(LABELS, json.loads(json.dumps(stored)), mode="recall_target", alpha=0.02)
    plain = Decoder.stored(LABELS, stored)
    leaks = [note_leak(d, s, target(s), d.id).missed[0] for d, s in pairs]
    assert sum(leaks) < sum(note_leak(d, s, plain(s), d.id).missed[0] for d, s in pairs)
    for _, scores in pairs[:20]:
        assert set(plain(scores)) <= set(target(scores))
    assert Decoder.stored(LABELS, target.settings()).threshold == target.threshold


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"alpha": 0.001}, r"999 patients.*on 60"),
        ({"alpha": 0.03, "confidence": 0.95}, r"10\d patients"),
        ({"alpha": 0.0}, "between 0 and 1"),
        ({"alpha": 0.1, "risk": "missed_words"}, "one of missed_characters"),
        ({"alpha": 0.1, "confidence": 0.5}, "null or one of 0.9"),
        ({}, "needs decoding.alpha"),
        ({"alpha": 0.1, "outside_bias": 2.0}, "calibrate the model anew"),
        ({"alpha": 0.1, "mode": "recal"}, "one of viterbi, recall_target"),
        ({"alpha": 0.1, "treshold": 1}, "no setting treshold"),
    ],
)
def test_what_cannot_be_promised_is_said_when_the_model_is_loaded(chosen, told):
    stored = Decoder(LABELS, curve=curve_of(map(note, range(60)))).settings()
    with pytest.raises(ConfigError, match=told):
        Decoder.stored(LABELS, stored, **{"mode": "recall_target", **chosen})


def test_a_model_without_a_curve_says_how_to_get_one():
    with pytest.raises(ConfigError, match=r"scripts/calibrate.py"):
        Decoder(LABELS, mode="recall_target", alpha=0.1)
