"""The parrot attack on planted leaks whose fate is known."""

import json

import pytest

from deidlab.attacks import parrot
from deidlab.attacks.release import Released
from deidlab.decoding import Decoder
from deidlab.judging import Judging
from deidlab.labels import LabelSet
from deidlab.random_backbones import RandomBackbone
from deidlab.types import ConfigError, DataError, Document, Losses, Prediction, Span

LABELS = LabelSet("two", ("PATIENT", "DATE"))
TEXT = "Ashgrove and Quill and Lowell"
NAMES = (Span(0, 8, "PATIENT"), Span(13, 18, "PATIENT"), Span(23, 29, "PATIENT"))


class Tagger:
    """Tags the same places in every note."""

    name, labels, losses = "tagger", LABELS, Losses()

    def __init__(self, *places):
        self.places = places

    def predict(self, documents):
        for document in documents:
            yield Prediction(document.id, tuple(Span(a, b, "PATIENT") for a, b in self.places))


def attacked(fates, *places, notes=4):
    unknown = [Released(Document(f"n{i}", TEXT, NAMES), fates) for i in range(notes)]
    known = [Released(Document("k", TEXT, NAMES), ("replaced",) * 3)]
    return parrot.judged(known, unknown, Tagger(*places), LABELS, Judging(replicates=20))


def line(outcome, attacker):
    (found,) = [one for one in outcome.finding["attackers"] if one["attacker"] == attacker]
    return found


def test_accused_is_what_the_parrot_leaves_untagged():
    # The first is a surrogate and tagged; the second a leak and not; the third a surrogate and not.
    outcome = attacked(("replaced", "leaked", "replaced"), (0, 8))
    found = line(outcome, "parrot")
    assert (found["accusations"], found["found"], found["false_accusations"]) == (8, 4, 4)
    assert (found["recall"], found["precision"]) == (1.0, 0.5)
    assert {k: outcome.finding[k] for k in ("attacked_notes", "identifiers", "leaked", "leaked_in_part")} == {
        "attacked_notes": 4, "identifiers": 12, "leaked": 4, "leaked_in_part": 0,
    }  # fmt: skip
    (row, of_type) = [r for r in outcome.rows if r["metric"] == "parrot"]
    assert (row["label"], of_type["label"], row["support"]) == ("micro", "PATIENT", 4)
    assert row["recall_low"] == row["recall_high"] == 1.0  # every note is like the others


def test_a_leak_that_looks_like_what_the_parrot_knows_stays_hidden():
    found = line(attacked(("leaked", "replaced", "replaced"), (0, 8), (13, 18), (23, 29)), "parrot")
    assert (found["accusations"], found["found"], found["recall"], found["precision"]) == (0, 0, 0.0, None)


def test_an_identifier_tagged_in_part_is_accused_only_under_the_strict_reading():
    outcome = attacked(("leaked", "replaced", "partly"), (0, 8), (13, 18), (23, 26))
    assert line(outcome, "parrot")["found"] == 0
    strict = line(outcome, "parrot_in_part")
    assert (strict["found"], strict["false_accusations"], strict["recall"]) == (4, 0, 0.5)
    assert outcome.finding["leaked_in_part"] == 4


def test_chance_and_masks_are_what_it_is_held_against():
    outcome = attacked(("replaced", "leaked", "replaced"), (0, 8))
    chance, masks = line(outcome, "chance"), line(outcome, "masks")
    # Eight of twelve accused blindly, a third of which are leaks.
    assert (chance["accusations"], chance["found"], chance["false_accusations"]) == (8, 2.7, 5.3)
    assert chance["precision"] == pytest.approx(4 / 12) and chance["recall"] == pytest.approx(8 / 12)
    assert (masks["found"], masks["false_accusations"], masks["recall"]) == (4, 0, 1.0)


def test_no_patient_is_on_both_sides():
    released = [Released(Document(f"n{i}", "", (), {"patient": str(i % 5)}), ()) for i in range(20)]
    known, unknown = parrot.halves(released, 0.5, seed=0)
    patients = [{one.note.meta["patient"] for one in side} for side in (known, unknown)]
    assert not patients[0] & patients[1] and len(known) + len(unknown) == 20


def notes(number):
    """A date that announces itself, and a name at the end that nothing announces."""
    made = []
    for i in range(number):
        text = f"The patient was seen on {i % 12 + 1:02}/{i % 28 + 1:02}/2012 for chest pain. Ashgrove"
        made.append(Document(f"n{i}", text, (Span(24, 34, "DATE"), Span(51, 59, "PATIENT"))))
    return made


def defended(file, documents, missed):
    """Predictions of a defender who finds every date, and the name unless `missed(number)`."""
    with file.open("w") as stream:
        for i, document in enumerate(documents):
            spans = [s for s in document.spans if s.label == "DATE" or not missed(i)]
            found = [{"start": s.start, "end": s.end, "label": s.label} for s in spans]
            stream.write(json.dumps({"id": document.id, "fingerprint": document.fingerprint, "spans": found}) + "\n")
    return file


def attack(cache, documents, predictions, **more):
    cache.mkdir()
    backbone = RandomBackbone(
        model_type="bert",
        max_length=64,
        stride=16,
        unit="word",
        learning_rate=1e-3,
        batch_tokens=512,
        shape={"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64},
    )
    training = {"epochs": 12, "learning_rate": 1e-2, "batch_tokens": 256, "device": "cpu"}
    return parrot.attack(
        documents=documents,
        predictions=predictions,
        labels=LABELS,
        judging=Judging(replicates=20),
        cache=cache,
        backbone=backbone,
        decoding=Decoder,
        training=training,
        **more,
    )


def test_a_parrot_learns_what_the_defender_finds_and_the_attack_repeats_itself(tmp_path):
    documents = notes(40)
    predictions = defended(tmp_path / "p.jsonl", documents, missed=lambda i: i % 2 == 0)
    first = attack(tmp_path / "a", documents, predictions)
    assert first.finding["annotated_notes"] == first.finding["attacked_notes"] == 20
    assert first.finding["identifiers"] == 40
    leaked = first.finding["leaked"]
    assert 4 <= leaked <= 16 and line(first, "masks")["found"] == leaked
    for attacker in ("parrot", "parrot_in_part"):
        found = line(first, attacker)
        assert found["found"] + found["false_accusations"] == found["accusations"]
        # Every date is announced and every name stands at the end: nothing betrays what leaked.
        assert found["accusations"] <= 10
    assert attack(tmp_path / "b", documents, predictions) == first


def test_without_a_leak_or_a_side_there_is_no_attack(tmp_path):
    documents = notes(6)
    predictions = defended(tmp_path / "p.jsonl", documents, missed=lambda i: False)
    with pytest.raises(DataError, match="nothing leaked in the 3 notes"):
        attack(tmp_path / "a", documents, predictions)
    with pytest.raises(ConfigError, match="annotated is 1"):
        attack(tmp_path / "b", documents, predictions, annotated=1)


def test_a_note_on_which_the_defender_failed_is_not_released(tmp_path):
    documents = notes(10)
    predictions = defended(tmp_path / "p.jsonl", documents, missed=lambda i: True)
    lines = [json.loads(text) for text in predictions.read_text().splitlines()]
    for one in lines[:4]:
        one.update(failed="no answer", spans=[])
    predictions.write_text("".join(json.dumps(one) + "\n" for one in lines))
    found = attack(tmp_path / "a", documents, predictions).finding
    assert found["annotated_notes"] + found["attacked_notes"] == 6
