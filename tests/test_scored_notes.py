"""Notes with gold and scores: words carry the tags of their spans, and patients stay together."""

import numpy as np

from deidlab.labels import LabelSet
from deidlab.scored_notes import of_patients, scored_notes
from deidlab.types import Document, Losses, Span, TokenScores

LABELS = LabelSet("one", ("A",), "BIO")


def note(number: int, patient: str | None = None) -> tuple[Document, TokenScores]:
    document = Document(f"n{number}", "ab cd ef", (Span(3, 8, "A"),), {"patient": patient} if patient else {})
    bounds = np.array([[0, 2], [3, 5], [6, 8]])
    return document, TokenScores(document.id, bounds, np.log(np.full((3, 3), 1 / 3)))


def test_gold_tags_stand_at_the_units_of_their_spans():
    (one,) = scored_notes(*zip(note(0), strict=True), LABELS, Losses())
    assert [LABELS.tags[t] for t in one.gold] == ["O", "B-A", "I-A"]
    assert one.log_probs.shape == (3, 3) and one.log_probs.dtype == np.float64
    assert "ab cd" not in repr(one)


def test_spans_that_cut_words_are_counted():
    document, scores = note(0)
    losses = Losses()
    list(scored_notes([Document("n0", document.text, (Span(3, 7, "A"),))], [scores], LABELS, losses))
    assert losses.counts == {("inside_word", "A"): 1}


def test_parts_hold_every_note_once_and_each_patient_whole():
    pairs = [note(i, f"p{i % 7}") for i in range(30)] + [note(30)]
    notes = list(scored_notes(*zip(*pairs, strict=True), LABELS, Losses()))
    parts = of_patients(notes, 5)
    assert sorted(np.concatenate(parts).tolist()) == list(range(31))
    owners = [{notes[i].patient for i in part} for part in parts]
    assert len(parts) == 5 and sum(map(len, owners)) == len(set().union(*owners)) == 8
    assert len(of_patients(notes[:1], 5)) == 1 and of_patients([], 5) == []
