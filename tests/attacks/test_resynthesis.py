"""Re-syntheses: gold follows its surrogates, and what a system scores on them is summed up."""

import pytest

from deidlab.attacks.release import surrogates_by
from deidlab.attacks.resynthesis import resynthesised, stability
from deidlab.judging import Judging
from deidlab.labels import LabelSet
from deidlab.systems.predictions import PredictionsSystem
from deidlab.types import ConfigError, Document, Losses, Prediction, Span

LABELS = LabelSet("two", ("PATIENT", "DATE"))
TEXT = "Rowan Ashgrove was seen on 03/04/2012."
NOTES = [Document(f"n{i}", TEXT, (Span(0, 14, "PATIENT"), Span(27, 37, "DATE"))) for i in range(5)]


class Finder:
    """Finds the dates, and the names with so many letters or less."""

    name, labels = "finder", LABELS

    def __init__(self, longest=99):
        self.longest, self.losses = longest, Losses("count")

    def predict(self, documents):
        for document in documents:
            self.losses.count("seen")
            name, date = document.spans
            short = name.end - name.start <= self.longest
            yield Prediction(document.id, (name, date) if short else (date,), document.fingerprint)


def stable(system, **more):
    settings = {"judging": Judging(replicates=50), "losses": Losses("count"), "repeats": 4} | more
    return stability(system=system, documents=NOTES, labels=LABELS, **settings)


def test_gold_follows_its_surrogates():
    anew = resynthesised(NOTES[0], surrogates_by("i2b2", 1), Losses("count"))
    name, date = anew.spans
    assert (name.label, date.label) == ("PATIENT", "DATE")
    assert anew.text == f"{anew.text[: name.end]} was seen on {anew.text[date.start : date.end]}."
    assert "Ashgrove" not in anew.text and "03/04/2012" not in anew.text


def test_another_key_gives_another_note():
    texts = {resynthesised(NOTES[0], surrogates_by("i2b2", 1, number), Losses("count")).text for number in range(5)}
    assert len(texts) == 5


def test_what_has_no_surrogate_stays_and_is_counted():
    note = Document("n", "Quill, seen on the 31st of Nonember", (Span(0, 5, "PATIENT"), Span(15, 35, "DATE")))
    losses = Losses("count")
    anew = resynthesised(note, surrogates_by("i2b2", 1), losses)
    assert anew.text.endswith(", seen on the 31st of Nonember") and not anew.text.startswith("Quill")
    date = anew.spans[1]
    assert anew.text[date.start : date.end] == "the 31st of Nonember"
    assert losses.counts == {("no_surrogate", "DATE"): 1}


def test_overlapping_gold_stays_and_is_counted():
    note = Document("n", "Quill Lowell", (Span(0, 12, "PATIENT"), Span(6, 12, "DOCTOR")))
    losses = Losses("count")
    anew = resynthesised(note, surrogates_by("i2b2", 1), losses)
    assert (anew.text, anew.spans) == (note.text, note.spans)
    assert sorted(losses.counts) == [("overlapping_not_resynthesised", k) for k in ("DOCTOR", "PATIENT")]


def test_a_system_that_does_not_look_at_names_scores_the_same_on_all():
    outcome = stable(Finder())
    strict, leak = outcome.rows
    assert (strict["metric"], strict["f1"], strict["f1_low"], strict["f1_high"]) == ("resynthesis_strict", 1, 1, 1)
    assert (leak["metric"], leak["value"], strict["support"]) == ("resynthesis_char_leak", 0, 10)
    assert {(m["original"], m["deviation"]) for m in outcome.finding["measures"]} == {(1.0, 0.0), (0.0, 0.0)}


def test_one_that_does_varies_with_the_surrogates_and_the_same_seed_varies_alike():
    outcome = stable(Finder(longest=14))
    (recall,) = [m for m in outcome.finding["measures"] if m["measure"] == "recall"]
    assert recall["original"] == 1.0
    assert 0.5 <= recall["least"] < recall["most"] <= 1.0
    assert recall["least"] <= recall["low"] <= recall["mean"] <= recall["high"] <= recall["most"]
    assert outcome == stable(Finder(longest=14))
    assert outcome != stable(Finder(longest=14), seed=7)


def test_fewer_notes_are_a_part_of_them_and_what_is_lost_on_copies_is_not_counted():
    system = Finder()
    assert stable(system, notes=2).finding["notes"] == 2
    assert not system.losses.counts


def test_settings_that_cannot_work_are_named():
    with pytest.raises(ConfigError, match="repeats is 1"):
        stable(Finder(), repeats=1)
    with pytest.raises(ConfigError, match="not its predictions"):
        stable(PredictionsSystem(LABELS, {}, {}, {}))
