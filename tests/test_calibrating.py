"""Calibrating a model: fitted and judged on different patients, never on notes that trained it, kept with it."""

import json

import numpy as np
import pytest
import yaml

from deidlab.calibrating import before_and_after, calibrated, check_unseen, prices, risk_curve, settings_of, stored
from deidlab.calibration.scaling import normalised
from deidlab.checkpoints import Checkpoint, load_checkpoint, store_decoder
from deidlab.conformal.losses import RISKS
from deidlab.decoding import Decoder
from deidlab.labels import LabelSet
from deidlab.models import Backbone
from deidlab.scored_notes import ScoredNote
from deidlab.types import ConfigError, DataError, Document, Span, TokenScores
from deidlab.views import calibration as views

LABELS = LabelSet("two", ("A", "B"), "IO")  # O, I-A, I-B


def overconfident(count: int, sharp: float = 3.0, seed: int = 0) -> list[ScoredNote]:
    """Notes of one-letter words whose gold is drawn from the true probabilities; the model says these, sharpened."""
    rng = np.random.default_rng(seed)
    notes = []
    for number in range(count):
        logits = rng.normal(scale=2, size=(30, 3)) + np.array([2.5, 0, 0])
        true = normalised(logits)
        gold = (np.exp(true).cumsum(axis=1) > rng.random((30, 1))).argmax(axis=1)
        bounds = np.stack([2 * np.arange(30), 2 * np.arange(30) + 1], axis=1)
        spans, start = [], 0
        for end in range(1, 31):  # neighbours of one type are one span under IO
            if end == 30 or gold[end] != gold[start]:
                if gold[start]:
                    spans.append(Span(2 * start, 2 * end - 1, "AB"[gold[start] - 1]))
                start = end
        document = Document(f"n{number}", "x " * 30, tuple(spans), {"patient": f"p{number // 2}"})
        scores = TokenScores(document.id, bounds, normalised(sharp * true).astype(np.float32))
        notes.append(ScoredNote(document, scores, gold))
    return notes


@pytest.mark.parametrize("method", ["temperature", "vector", "isotonic"])
def test_probabilities_are_truer_after_calibration_on_patients_that_it_did_not_see(method):
    notes = overconfident(60)
    told = before_and_after(notes, Decoder(LABELS), method)
    for kind in ("units", "identifiers", "spans"):
        assert told["after"][kind]["ece"] < told["after"][kind]["floor"] + 0.03 < told["before"][kind]["ece"]
        assert told["after"][kind]["brier"] < told["before"][kind]["brier"]
        assert told["after"][kind]["n"] == told["before"][kind]["n"]
    assert set(told["after"]["types"]) == {"A", "B"}


def test_spans_are_right_as_often_as_they_say():
    notes, others = overconfident(60), overconfident(60, seed=1)
    told = before_and_after(notes, Decoder(LABELS), "temperature", others)
    assert told["after"]["spans"]["accuracy"] == pytest.approx(told["after"]["spans"]["confidence"], abs=0.04)


def test_of_one_patient_nothing_can_be_said_about_others():
    with pytest.raises(ConfigError, match="two or more"):
        before_and_after(overconfident(2), Decoder(LABELS), "temperature")
    with pytest.raises(DataError, match="no notes"):
        calibrated([], Decoder(LABELS), "temperature")


def test_prices_rise_as_promises_grow_and_say_what_cannot_be_promised():
    curve = risk_curve(overconfident(120), Decoder(LABELS))
    lines = prices(curve, [0.2, 0.05, 0.001], None, seconds=6)
    assert len(lines) == 3 * len(RISKS)
    loose, strict, impossible = lines[:3]
    assert strict["threshold"] <= loose["threshold"] and strict["promised"] <= 0.05
    assert strict["precision"] <= loose["precision"]
    assert strict["review_minutes_per_1000_notes"] >= loose["review_minutes_per_1000_notes"]
    assert "999 patients" in impossible["why"]


def test_the_report_has_its_tables_and_pictures():
    notes = overconfident(40)
    calibration = calibrated(notes, Decoder(LABELS), "temperature")
    curve = risk_curve(notes, Decoder(LABELS))
    content = {
        "method": "temperature", "notes": 40, "patients": 20, "judged_on": "others",
        "calibration": calibration.to_dict(), "seconds_per_question": 5, "prices": prices(curve, [0.1, 0.01], None, 5),
        **before_and_after(notes, Decoder(LABELS), "temperature"),
    }  # fmt: skip
    json.dumps(content, allow_nan=False)
    shown = {section.title: section for section in views.sections(content)}
    assert [row[:2] for row in shown["Calibration"].table.body][::2] == [
        (about, "before") for about in ("words, of the likeliest type or none", "words, part of an identifier or not",
                                        "spans, right in type and both ends")
    ]  # fmt: skip
    assert len(shown["Recall targets"].table.body) == 6
    drawn = views.figures(content)
    assert set(drawn) == {s.figure for s in shown.values() if s.figure} and all("<svg" in d for d in drawn.values())


@pytest.fixture
def run(tmp_path):
    """What a run says of its notes."""
    ran = {"data": {"path": "notes", "fractions": {"validation": 0.1}, "seed": 0}, "select_on": "validation",
           "notes": {"train": None, "validation": None, "validate_from": 0}}  # fmt: skip
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(ran))
    (tmp_path / "provenance.json").write_text(json.dumps({"data_fingerprint": "abc"}))
    return tmp_path


def test_notes_that_trained_a_run_do_not_calibrate_it(run):
    ran = settings_of(run)
    with pytest.raises(ConfigError, match="was trained on these notes"):
        check_unseen(run, ran, None, "abc", "train")
    with pytest.raises(ConfigError, match=r"cut in another way \(data.fractions, data.seed\)"):
        check_unseen(run, ran, {**ran["data"], "fractions": {"validation": 0.3}, "seed": 1}, "abc", "validation")
    few = {**ran, "notes": {"train": 30, "validate_from": 50}}
    with pytest.raises(ConfigError, match="trained on these too"):
        check_unseen(run, few, None, "abc", "validation")
    assert check_unseen(run, ran, None, "abc", "validation"), "these chose the weights, and that is told"
    assert not check_unseen(run, ran, None, "abc", "test")
    assert not check_unseen(run, ran, {"path": "elsewhere"}, "other", "train")


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"no config.yaml"):
        settings_of(tmp_path)


def test_what_was_learnt_is_kept_with_the_weights_and_finds_the_same_spans(tiny_backbones, tiny_labels, tmp_path):
    backbone = Backbone(str(tiny_backbones["bert"]), 64, stride=16)
    source = backbone.locate()
    decoder = Decoder(tiny_labels, outside_bias=0.5)
    Checkpoint(backbone.model(source, tiny_labels), backbone.encoder(source), decoder).save(tmp_path / "checkpoint")
    weights = (tmp_path / "checkpoint" / "model.safetensors").read_bytes()
    notes = overconfident(20)
    theirs = Decoder(LABELS, outside_bias=0.5)
    learnt = calibrated(notes, theirs, "temperature"), risk_curve(notes, theirs)
    store_decoder(tmp_path, stored(decoder, *learnt))
    again = load_checkpoint(tmp_path).decoder
    assert (again.calibration, again.curve) == learnt and again.outside_bias == 0.5 and again.mode == "viterbi"
    assert load_checkpoint(tmp_path, mode="recall_target", alpha=0.2).decoder.threshold < 1
    with pytest.raises(ConfigError, match="199 patients"):
        load_checkpoint(tmp_path, mode="recall_target", alpha=0.005)
    assert (tmp_path / "checkpoint" / "model.safetensors").read_bytes() == weights
    assert not list((tmp_path / "checkpoint").glob("*.rough"))
