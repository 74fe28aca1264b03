"""Sources side by side: words are matched to what became of them, and each source is judged by what it puts first."""

from dataclasses import replace

import numpy as np
import pytest

from deidlab import uncertainty_sources as sources
from deidlab.calibration.scaling import normalised
from deidlab.checkpoints import Checkpoint
from deidlab.decoding import Decoder
from deidlab.flagging import Flagging
from deidlab.labels import LabelSet
from deidlab.models import Backbone
from deidlab.scored_notes import scored_notes
from deidlab.systems.checkpoint import CheckpointSystem
from deidlab.types import ConfigError, Document, Losses, Span, TokenScores

LABELS = LabelSet("two", ("A", "B"), "BIO")  # O, B-A, I-A, B-B, I-B
WORDS = np.array([[0, 2], [3, 5], [6, 8], [9, 11]])


def noted(number: int, rows: list[list[float]], *spans: Span):
    document = Document(f"n{number}", "ab cd ef gh", spans)
    scores = TokenScores(document.id, WORDS, normalised(np.log(rows)).astype(np.float32))
    return next(scored_notes([document], [scores], LABELS, Losses()))


NONE, A, DOUBT = [0.97, 0.01, 0.01, 0.005, 0.005], [0.01, 0.97, 0.01, 0.005, 0.005], [0.7, 0.2, 0.05, 0.03, 0.02]
NOTES = [
    noted(0, [A, NONE, DOUBT, NONE], Span(0, 2, "A"), Span(6, 8, "A")),  # one found, one missed, and in doubt
    noted(1, [NONE, NONE, A, NONE], Span(6, 8, "B")),  # covered, of the wrong type
    noted(2, [NONE, NONE, NONE, NONE], Span(9, 11, "A")),  # missed without a doubt
]


def test_words_know_what_became_of_them():
    units = sources.units_of(NOTES, Decoder(LABELS))
    assert units.inside.nonzero()[0].tolist() == [0, 6]
    assert units.outcome.wrong.nonzero()[0].tolist() == [2, 6, 11]
    assert units.outcome.missed.tolist() == [0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert units.note.tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_a_source_is_judged_by_the_misses_at_the_top_of_what_stays_readable():
    units = sources.units_of(NOTES, Decoder(LABELS))
    given = {**sources.own_sources(units), "backwards": -units.probs[:, 1]}
    lines = {line["source"]: line for line in sources.judged(given, units, ["p0", "p1", "p2"], replicates=50)}
    assert (
        lines["softmax"]["top_0.1"] == 0.5
    )  # the one word of ten readable ones: the first note's miss, not the third's
    assert lines["identifier or not"]["aurc"] < lines["backwards"]["aurc"]
    assert 0 <= lines["softmax"]["top_0.05_low"] <= lines["softmax"]["top_0.05_high"] <= 1


def test_the_queue_holds_what_was_in_doubt_and_no_more():
    decoder = Decoder(LABELS)
    predictions = [decoder.prediction(note.document, note.scores) for note in NOTES]
    told = sources.queues([note.document for note in NOTES], predictions, Flagging())
    assert told["missed_characters"] == 4
    assert told["questions"]["top_1"] == 1.0  # every word is in doubt by more than one in a hundred here
    assert told["notes"]["top_0.1"] == 0  # none of three notes is a tenth


def test_models_with_other_words_are_not_put_together():
    other = replace(NOTES[0].scores, unit_spans=WORDS + 1)
    with pytest.raises(ConfigError, match="same tokenizer"):
        sources.scored_again(NOTES[:1], [other], Decoder(LABELS))


@pytest.fixture(scope="module")
def small(tiny_backbones, tiny_labels, obvious_notes):
    """An untrained model that drops hidden states, and some notes scored by it."""
    backbone = Backbone(str(tiny_backbones["bert"]), 64, stride=16)
    source = backbone.locate()
    checkpoint = Checkpoint(backbone.model(source, tiny_labels), backbone.encoder(source), Decoder(tiny_labels))
    system = CheckpointSystem(checkpoint, precision="fp32")
    documents = obvious_notes(4)
    return system, list(scored_notes(documents, system.scores(documents), tiny_labels, Losses()))


def test_dropout_passes_differ_and_leave_the_model_as_it_was(small):
    system, notes = small
    one, other = sources.dropout_passes(system, notes, 2, 0.3, seed=0)
    assert np.abs(one - other).max() > 1e-4
    again = next(iter(sources.dropout_passes(system, notes, 1, 0.3, seed=0)))
    assert np.array_equal(one, again), "the seed draws the same"
    before = np.concatenate([note.log_probs for note in notes])
    after = [
        replace(n, scores=s).log_probs for n, s in zip(notes, system.scores(n.document for n in notes), strict=True)
    ]
    assert np.array_equal(before, np.concatenate(after))


def test_other_windows_and_rules_speak_of_the_same_words(small):
    system, notes = small
    units = sum(len(note.gold) for note in notes)
    assert sources.other_windows(system, notes, 20, 4).shape == (units, 5)
    dates = np.concatenate([note.gold >= system.labels.tag_ids["B-DATE"] for note in notes])
    assert sources.found_by_rules(notes)[dates].all()
